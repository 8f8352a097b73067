// SPDX-License-Identifier: Apache-2.0
//
// What a script is not given. Always: bytecode, which Lua does not check and which can crash it;
// load, loadfile and dofile read source text only. With the sandbox in addition: everything that is
// not in the list of sandbox.c, that is files, processes, the environment, C modules, the debug
// library, finalizers, the switches of the collector; and require finds files in the script's
// folder and in the library of the program only (modules.c). It protects against accidents,
// and promises nothing against an author who looks for a way out.

#ifndef MESOS_LUA_SCRIPT_SANDBOX_H
#define MESOS_LUA_SCRIPT_SANDBOX_H

#include <lua.h>
#include <stdbool.h>

// Opens Lua's own libraries and replaces what reads chunks. // [-0, +0, e]
void sandbox_open_libraries(lua_State *L);

// Removes what the sandbox does not have, after everything else was opened. A removed function
// raises an error that says so. // [-0, +0, e]
void sandbox_close_in(lua_State *L);

// Pushes a function that raises: there is none of that name in the sandbox. // [-0, +1, m]
void sandbox_push_missing(lua_State *L, const char *name);

// True if the value is such a function. // [-0, +0, -]
bool sandbox_is_missing(lua_State *L, int index);

#endif
