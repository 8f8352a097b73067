// SPDX-License-Identifier: Apache-2.0
//
// The module `mesos`, as require "mesos" gives it to a script.

#ifndef MESOS_LUA_BINDINGS_MODULE_H
#define MESOS_LUA_BINDINGS_MODULE_H

#include <lua.h>

// The loader of the module; its first upvalue is the `struct scheduler_environment *` (a light
// userdata) that drivers of the script live in. // [-0, +1, e]
int module_open(lua_State *L);

#endif
