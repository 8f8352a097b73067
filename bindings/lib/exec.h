// SPDX-License-Identifier: Apache-2.0
//
// mesos.exec(argv, options): runs a child process, waits for it, and returns its status and its
// output. What it runs is killed when its script ends.

#ifndef MESOS_LUA_BINDINGS_LIB_EXEC_H
#define MESOS_LUA_BINDINGS_LIB_EXEC_H

#include "script/script.h"

// Adds the function to the module's table at the top. // [-0, +0, e]
void exec_open(lua_State *L, struct script *script);

#endif
