// SPDX-License-Identifier: Apache-2.0
//
// mesos.exec(argv, options): runs a child process, waits for it, and returns its status and its
// output. What it runs is killed when its script ends.

#ifndef MESOS_LUA_BINDINGS_LIB_EXEC_H
#define MESOS_LUA_BINDINGS_LIB_EXEC_H

#include <lua.h>

int l_exec(lua_State *L); // [-n, +1|3, e]

void exec_open(lua_State *L); // the types of its userdata // [-0, +0, m]

#endif
