// SPDX-License-Identifier: Apache-2.0
//
// A table of callbacks that a script returned: what is looked at before it is taken over.

#ifndef MESOS_LUA_BINDINGS_CORE_ADOPTION_H
#define MESOS_LUA_BINDINGS_CORE_ADOPTION_H

#include "base/suggest.h"

#include <lua.h>

// Calls `warn` for each function of the table at `index` whose name is nearly that of a callback,
// and for each value that has the name of a callback and is no function. `name` lists the
// callbacks. // [-0, +0, e]
void adoption_check_names(lua_State *L, int index, suggest_name name,
                          void (*warn)(void *data, const char *text), void *data);

// Loads the module of that name if the script did not: what the callbacks are given has its types.
// // [-0, +0, e]
void adoption_load_module(lua_State *L, const char *name);

#endif
