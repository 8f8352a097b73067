// SPDX-License-Identifier: Apache-2.0
//
// The module `mesos` as a shared library (mesos.so), for the Lua of another program: `require
// "mesos"` in lua5.4 or under busted. It is the same code on a host that has no script of its own:
// drivers run inside of driver:run(). What needs the program says so.

#ifndef MESOS_LUA_BINDINGS_LOADABLE_LOADABLE_H
#define MESOS_LUA_BINDINGS_LOADABLE_LOADABLE_H

#include <lua.h>

int luaopen_mesos(lua_State *L); // [-0, +1, e]

// The loader of a module of the library, whose name is the first argument, for a state that has not
// loaded `mesos` yet: the functions luaopen_mesos_NAME of loaders.lua. // [-0, +1, e]
int loadable_open_library(lua_State *L);

#endif
