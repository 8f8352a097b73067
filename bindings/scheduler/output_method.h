// SPDX-License-Identifier: Apache-2.0
//
// driver:output(taskId[, { file =, offset =, length = }]) -> text, next, size
//
// Waits for a piece of a file of the task's sandbox. nil, a message and a code if there is none.

#ifndef MESOS_LUA_BINDINGS_SCHEDULER_OUTPUT_METHOD_H
#define MESOS_LUA_BINDINGS_SCHEDULER_OUTPUT_METHOD_H

#include <lua.h>

int l_output(lua_State *L); // [-n, +3, e]

void output_method_open(lua_State *L); // the types of its userdata // [-0, +0, e]

#endif
