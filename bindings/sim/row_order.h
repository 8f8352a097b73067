// SPDX-License-Identifier: Apache-2.0
//
// The order of the rows of a file, which a first pass over it finds: see readers.h, whose functions
// these are.

#ifndef MESOS_LUA_BINDINGS_SIM_ROW_ORDER_H
#define MESOS_LUA_BINDINGS_SIM_ROW_ORDER_H

#include <lua.h>

#define ROW_ORDER_MOST ((size_t)50000000) // rows: 1.6 GB

void row_order_open(lua_State *L);  // makes the type // [-0, +0, e]
int row_order_create(lua_State *L); // order() // [-0, +1, e]

#endif
