// SPDX-License-Identifier: Apache-2.0
//
// What a script is not given. Always: bytecode, which Lua does not check and which can crash it;
// load, loadfile and dofile read source text only. With the sandbox, besides: everything that is
// not in the list of sandbox.c, that is files, processes, the environment, C modules, the debug
// library, finalizers, the switches of the collector; and require finds files in the script's
// folder and in the library of the program only (modules.c). It is there against accidents, and
// makes no promise against somebody who looks for a way out.

#ifndef MESOS_LUA_SCRIPT_SANDBOX_H
#define MESOS_LUA_SCRIPT_SANDBOX_H

#include <lua.h>
#include <stdbool.h>

// Opens Lua's own libraries and replaces what reads chunks. // [-0, +0, e]
void sandbox_open_libraries(lua_State *L);

// Takes away what a sandbox does not have, when everything else is in place. A function that is
// gone says so when it is called. // [-0, +0, e]
void sandbox_close_in(lua_State *L);

// A function that says that there is none of that name in the sandbox. // [-0, +1, m]
void sandbox_push_missing(lua_State *L, const char *name);

// Is the value such a function? // [-0, +0, -]
bool sandbox_is_missing(lua_State *L, int index);

#endif
