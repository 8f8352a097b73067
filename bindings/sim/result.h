// SPDX-License-Identifier: Apache-2.0
//
// What the books of a run have measured as a table of Lua: host/sim/README.md, "The result of a
// run".

#ifndef MESOS_LUA_BINDINGS_SIM_RESULT_H
#define MESOS_LUA_BINDINGS_SIM_RESULT_H

#include "sim/books.h"

#include <lua.h>

// Pushes a table with `summary`, `series`, `agents`, `gantt`, `waits`, `waits_by_role` and
// `longest`. books_end() was called. // [-0, +1, m]
void result_push(lua_State *L, struct books *books);

#endif
