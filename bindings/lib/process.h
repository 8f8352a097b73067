// SPDX-License-Identifier: Apache-2.0
//
// mesos.process: a child process that runs beside the script, which may wait for it and signal it.

#ifndef MESOS_LUA_BINDINGS_LIB_PROCESS_H
#define MESOS_LUA_BINDINGS_LIB_PROCESS_H

#include <lua.h>

int l_process(lua_State *L); // [-n, +1|3, e]

void process_open(lua_State *L); // the types of its userdata // [-0, +0, e]

#endif
