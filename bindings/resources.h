// SPDX-License-Identifier: Apache-2.0
//
// mesos.resources: lists of Resource from a table of amounts or from Mesos's text form.

#ifndef MESOS_LUA_BINDINGS_RESOURCES_H
#define MESOS_LUA_BINDINGS_RESOURCES_H

#include <lua.h>

// Adds `resources` to the module table on top of the stack. // [-0, +0, e]
void resources_open(lua_State *L);

#endif
