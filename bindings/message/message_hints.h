// SPDX-License-Identifier: Apache-2.0
//
// How values of a message type are written, for the errors about values that are not written so.
// Each returns the end of a message, ": write { ... }", which it pushes, or "".

#ifndef MESOS_LUA_BINDINGS_MESSAGE_MESSAGE_HINTS_H
#define MESOS_LUA_BINDINGS_MESSAGE_MESSAGE_HINTS_H

#include <lua.h>
#include <protobuf-c/protobuf-c.h>

// Where something that is no table was given for a message. // [-0, +1, m]
const char *message_hints_message(lua_State *L, const ProtobufCMessageDescriptor *type);

// Where a list was given for a message, which may be one around a list. // [-0, +1, m]
const char *message_hints_around(lua_State *L, const ProtobufCMessageDescriptor *type);

// Where a table with an unknown key was given for a message that is a list of names with values,
// such as Environment, Labels and Parameters; "" for other types. // [-0, +1, m]
const char *message_hints_pairs(lua_State *L, const ProtobufCMessageDescriptor *type,
                                const char *key);

// Where a table with that key was given for a list of such messages. `type` is NULL for a list of
// other values, `key` for a key that is no text. // [-0, +1, m]
const char *message_hints_list(lua_State *L, const ProtobufCMessageDescriptor *type,
                               const char *key);

#endif
