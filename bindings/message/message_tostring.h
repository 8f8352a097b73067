// SPDX-License-Identifier: Apache-2.0
//
// Messages for people: what tostring() says of them, in one line, in the notation of Lua.

#ifndef MESOS_LUA_BINDINGS_MESSAGE_MESSAGE_TOSTRING_H
#define MESOS_LUA_BINDINGS_MESSAGE_MESSAGE_TOSTRING_H

#include "bindings/message/message_type.h"

// Pushes `TaskStatus { task_id = "t1", state = "TASK_RUNNING" }` for the table at `index`, fields
// in the order of their numbers. Reads raw. // [-0, +1, m]
void message_text(lua_State *L, int index, struct message_type *shape);

#endif
