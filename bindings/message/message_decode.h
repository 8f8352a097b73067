// SPDX-License-Identifier: Apache-2.0
//
// Mesos's messages on the wire as Lua values, by the mapping of the contract (message_type.h), for
// every message type.
//
// Received messages become tables with a metatable per type: a field that the type does not have
// raises when it is read or written, an absent repeated or map field reads as an empty table (which
// is then kept), any other absent field as nil. A message type whose only field is `value` becomes
// that value. Enums become names (an unknown number stays a number).

#ifndef MESOS_LUA_BINDINGS_MESSAGE_MESSAGE_DECODE_H
#define MESOS_LUA_BINDINGS_MESSAGE_MESSAGE_DECODE_H

#include "base/bytes.h"
#include "bindings/message/message_type.h"
#include "wire/wire.h"

#include <lua.h>
#include <protobuf-c/protobuf-c.h>

// Pushes the Lua value of a message. Of a singular message that comes in parts the last one counts:
// what was received has passed wire_accept(). Raises if the bytes are malformed. // [-0, +1, e]
void message_decode(lua_State *L, const ProtobufCMessageDescriptor *type, struct slice wire);

// The same as plain tables without metatables. // [-0, +1, e]
void message_decode_plain(lua_State *L, const ProtobufCMessageDescriptor *type, struct slice wire);

// For views, which decode one field at a time. `position` is that of the field in its type, from 0.
// message_decode_field finds all occurrences of a repeated one in the whole message, of which there
// is one at least. message_decode_occurrence takes a single one, of any other. // [-0, +1, e]
void message_decode_field(lua_State *L, struct message_type *shape, unsigned position,
                          struct slice wire);
void message_decode_occurrence(lua_State *L, struct message_type *shape, unsigned position,
                               const struct wire_field *occurrence);

// The value of an enum: its name, or the number where the type has none for it. // [-0, +1, m]
void message_decode_enum(lua_State *L, const ProtobufCEnumDescriptor *type, int number);

#endif
