// SPDX-License-Identifier: Apache-2.0
//
// Lua values as Mesos's messages on the wire, by the mapping of the contract (message_type.h), for
// every message type.
//
// Encoding takes tables with or without such metatables, views, `{ value = }` or the bare value,
// enum names or numbers, whole floats for integers. An unsigned 64-bit number above 2^63 is, both
// ways, the negative Lua integer of the same bits. It reads tables raw, never calls metamethods,
// and its errors name the whole path of the field: "tasks[2].resources[1].scalar: number expected,
// got string".

#ifndef MESOS_LUA_BINDINGS_MESSAGE_MESSAGE_ENCODE_H
#define MESOS_LUA_BINDINGS_MESSAGE_MESSAGE_ENCODE_H

#include "base/buffer.h"
#include "bindings/message/message_type.h"

#include <lua.h>
#include <protobuf-c/protobuf-c.h>

// Appends the wire form of the Lua value at `index` to `buffer`, which must be owned by something
// that survives a Lua error (see scratch_push). `path` is what errors call the value, such as
// "tasks[2]". Raises on bad values and at the buffer's cap. // [-0, +0, e]
void message_encode(lua_State *L, int index, const ProtobufCMessageDescriptor *type,
                    const char *path, struct buffer *buffer);

// The same for each element of the list at `index`, as a field of that number of a message that
// `buffer` begins or has. Errors name it by the name of the list: "tasks[2]". // [-0, +0, e]
void message_encode_elements(lua_State *L, int index, const ProtobufCMessageDescriptor *type,
                             uint32_t number, const char *name, struct buffer *buffer);

// The same as the first for a message that is unpacked into a struct, whose texts end at the first
// zero byte: a text that has one is refused. // [-0, +0, e]
void message_encode_texts(lua_State *L, int index, const ProtobufCMessageDescriptor *type,
                          const char *path, struct buffer *buffer);

// Puts into the registry what the files of this room keep there. // [-0, +0, e]
void message_open(lua_State *L);

#endif
