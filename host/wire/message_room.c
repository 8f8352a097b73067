// SPDX-License-Identifier: Apache-2.0
//
// Plain messages lie in the arena; of others protobuf-c makes what they are: see message_room.h.

#include "wire/message_room.h"

#include "wire/message_unpack.h"

void *message_room_put(struct message_room *room, ProtobufCMessage *message)
{
    message_room_empty(room);
    room->owned = message;
    return message;
}

void *message_room_unpack_quickly(struct message_room *room, const ProtobufCMessageDescriptor *type,
                                  struct slice bytes)
{
    message_room_empty(room);
    return message_unpack_quickly(&room->arena, type, bytes);
}

void *message_room_unpack(struct message_room *room, const ProtobufCMessageDescriptor *type,
                          struct slice bytes)
{
    void *message = message_room_unpack_quickly(room, type, bytes);
    if (message != NULL)
        return message;
    message_room_empty(room); // of what was made until then
    return message_room_put(room, protobuf_c_message_unpack(type, NULL, bytes.length, bytes.data));
}

void message_room_empty(struct message_room *room)
{
    if (room->owned != NULL)
        protobuf_c_message_free_unpacked(room->owned, NULL);
    room->owned = NULL;
    arena_empty(&room->arena);
}

void message_room_free(struct message_room *room)
{
    message_room_empty(room);
    arena_free(&room->arena);
}
