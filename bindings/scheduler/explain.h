// SPDX-License-Identifier: Apache-2.0
//
// driver:explain(need): why a task is not placed (mesos/explanation.h), as a Lua table.

#ifndef MESOS_LUA_BINDINGS_SCHEDULER_EXPLAIN_H
#define MESOS_LUA_BINDINGS_SCHEDULER_EXPLAIN_H

#include <lua.h>

void explain_open(lua_State *L); // [-0, +0, e]

int l_explain(lua_State *L); // [-2, +1, e]

#endif
