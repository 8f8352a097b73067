// SPDX-License-Identifier: Apache-2.0
//
// mesos.log: the script's way to the log of the process.

#ifndef MESOS_LUA_BINDINGS_LIB_LOGGING_H
#define MESOS_LUA_BINDINGS_LIB_LOGGING_H

#include <lua.h>

// Pushes the table of the functions debug, info, warning and error. Each takes a format and values
// as string.format does. // [-0, +1, e]
void logging_push(lua_State *L);

#endif
