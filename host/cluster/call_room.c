// SPDX-License-Identifier: Apache-2.0
//
// The memory of calls that are read: see call_room.h.

#include "cluster/call_room.h"

#include "base/memory.h"

#include <stdlib.h>

static void *take(void *data, size_t size)
{
    struct call_room *room = data;
    if (size > CALL_ROOM_BYTES - room->used)
        return memory_resize(NULL, size);
    void *block = room->bytes + room->used;
    size_t end =
        (room->used + size + CALL_ROOM_ALIGNMENT - 1) / CALL_ROOM_ALIGNMENT * CALL_ROOM_ALIGNMENT;
    room->used = end < CALL_ROOM_BYTES ? end : CALL_ROOM_BYTES;
    return block;
}

static void give_back(void *data, void *block)
{
    const struct call_room *room = data;
    uintptr_t at = (uintptr_t)block, begin = (uintptr_t)room->bytes;
    if (at < begin || at >= begin + CALL_ROOM_BYTES)
        free(block);
}

void call_room_init(struct call_room *room)
{
    room->allocator = (ProtobufCAllocator){take, give_back, room};
}

Mesos__V1__Scheduler__Call *call_room_unpack(struct call_room *room, struct slice bytes)
{
    Mesos__V1__Scheduler__Call *call =
        mesos__v1__scheduler__call__unpack(&room->allocator, bytes.length, bytes.data);
    room->calls += call != NULL;
    return call;
}

void call_room_free(struct call_room *room, Mesos__V1__Scheduler__Call *call)
{
    mesos__v1__scheduler__call__free_unpacked(call, &room->allocator);
    if (--room->calls == 0)
        room->used = 0;
}
