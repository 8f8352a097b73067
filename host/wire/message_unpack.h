// SPDX-License-Identifier: Apache-2.0
//
// Plain messages become protobuf-c's structs in an arena, at a fraction of what protobuf-c takes
// for that with a block of memory for each text.

#ifndef MESOS_LUA_WIRE_MESSAGE_UNPACK_H
#define MESOS_LUA_WIRE_MESSAGE_UNPACK_H

#include "base/arena.h"
#include "base/bytes.h"

#include <protobuf-c/protobuf-c.h>

// Equal to what protobuf_c_message_unpack() makes of the bytes, or NULL, which decides nothing:
// unknown fields, a singular message in several parts, a second member of a oneof, packed lists,
// numbers above 63, texts with a NUL in them, messages nested more than 32 deep and malformed ones
// are left to protobuf-c. It lies in the arena, and is not to be freed by itself.
ProtobufCMessage *message_unpack_quickly(struct arena *arena,
                                         const ProtobufCMessageDescriptor *type,
                                         struct slice bytes);

#endif
