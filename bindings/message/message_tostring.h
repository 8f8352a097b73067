// SPDX-License-Identifier: Apache-2.0
//
// Messages for people: what tostring() says of them, in one line, in the notation of Lua.

#ifndef MESOS_LUA_BINDINGS_MESSAGE_MESSAGE_TOSTRING_H
#define MESOS_LUA_BINDINGS_MESSAGE_MESSAGE_TOSTRING_H

#include "bindings/message/message_type.h"

// Pushes `TaskStatus { task_id = "t1", state = "TASK_RUNNING" }` for the table at `index`, fields
// in the order of their numbers. Reads raw. // [-0, +1, m]
void message_tostring(lua_State *L, int index, struct message_type *shape);

// Gives the tables of messages their `__tostring`. // [-0, +0, m]
void message_tostring_open(lua_State *L);

#endif
