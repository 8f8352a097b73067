// SPDX-License-Identifier: Apache-2.0
//
// The codec between Mesos's messages on the wire and Lua values, driven by the protobuf-c
// descriptors: one mapping, the one of the contract, for every message type and both directions.
//
// Received messages become tables with a metatable per type: a field that the type does not have
// raises when it is read or written, an absent repeated or map field reads as an empty table (which
// is then kept), any other absent field as nil. A message type whose only field is `value` becomes
// that value. Enums become names (an unknown number stays a number).
//
// Encoding takes tables with or without such metatables, views, `{ value = }` or the bare value,
// enum names or numbers, whole floats for integers. An unsigned 64-bit number above 2^63 is, both
// ways, the negative Lua integer of the same bits. It reads tables raw, never calls metamethods,
// and its errors name the whole path of the field: "tasks[2].resources[1].scalar: number expected,
// got string".

#ifndef MESOS_LUA_BINDINGS_MESSAGE_MESSAGE_CODEC_H
#define MESOS_LUA_BINDINGS_MESSAGE_MESSAGE_CODEC_H

#include "base/buffer.h"
#include "bindings/message/message_type.h"
#include "wire/wire.h"

#include <lua.h>
#include <protobuf-c/protobuf-c.h>

// Pushes the Lua value of a message. Of a singular message that comes in parts the last one counts:
// what was received has passed wire_accept(). Raises if the bytes are malformed. // [-0, +1, e]
void message_push(lua_State *L, const ProtobufCMessageDescriptor *type, struct slice wire);

// The same as plain tables without metatables. // [-0, +1, e]
void message_push_plain(lua_State *L, const ProtobufCMessageDescriptor *type, struct slice wire);

// For views, which decode one field at a time. `position` is that of the field in its type, from 0.
// message_push_field finds all occurrences of a repeated one in the whole message, of which there
// is one at least. message_push_occurrence takes a single one, of any other. // [-0, +1, e]
void message_push_field(lua_State *L, struct message_type *shape, unsigned position,
                        struct slice wire);
void message_push_occurrence(lua_State *L, struct message_type *shape, unsigned position,
                             const struct wire_field *occurrence);

// The value of an enum: its name, or the number where the type has none for it. // [-0, +1, m]
void message_push_enum(lua_State *L, const ProtobufCEnumDescriptor *type, int number);

// Appends the wire form of the Lua value at `index` to `buffer`, which must be owned by something
// that survives a Lua error (see message_scratch). `path` is what errors call the value, such as
// "tasks[2]". Raises on bad values and at the buffer's cap. // [-0, +0, e]
void message_encode(lua_State *L, int index, const ProtobufCMessageDescriptor *type,
                    const char *path, struct buffer *buffer);

// The same for a message that is unpacked into a struct, whose texts end at the first zero byte: a
// text that has one is refused. // [-0, +0, e]
void message_encode_texts(lua_State *L, int index, const ProtobufCMessageDescriptor *type,
                          const char *path, struct buffer *buffer);

// Pushes a userdata that owns a buffer and returns it, empty: scratch memory that a Lua error
// cannot leak. // [-0, +1, m]
struct buffer *message_scratch(lua_State *L);

// Puts the metatables of the codec into the registry. // [-0, +0, e]
void message_open(lua_State *L);

#endif
