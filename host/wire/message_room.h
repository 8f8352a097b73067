// SPDX-License-Identifier: Apache-2.0
//
// Where a received message is while it is looked at: one after the other, without a block of memory
// for each text in it. A zeroed struct is an empty room.

#ifndef MESOS_LUA_WIRE_MESSAGE_ROOM_H
#define MESOS_LUA_WIRE_MESSAGE_ROOM_H

#include "base/arena.h"
#include "base/bytes.h"

#include <protobuf-c/protobuf-c.h>

// It has at most one message, which those who look at it leave as it is.
struct message_room {
    struct arena arena;
    ProtobufCMessage *owned; // one that is not in the arena
};

// What protobuf_c_message_unpack() would return: NULL if the bytes are no message of that type. The
// message that was in the room is gone.
void *message_room_unpack(struct message_room *room, const ProtobufCMessageDescriptor *type,
                          struct slice bytes);

// The same for plain messages, which have no text with a NUL in it and are nested at most 32 deep.
// NULL decides nothing (see message_unpack.h).
void *message_room_unpack_quickly(struct message_room *room, const ProtobufCMessageDescriptor *type,
                                  struct slice bytes);

// Takes a message that was unpacked by protobuf-c, or NULL, and returns it.
void *message_room_put(struct message_room *room, ProtobufCMessage *message);

void message_room_empty(struct message_room *room);
void message_room_free(struct message_room *room); // and it keeps no memory

#endif
