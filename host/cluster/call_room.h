// SPDX-License-Identifier: Apache-2.0
//
// Where the structs of calls are read into, one behind the other, instead of a block of memory for
// each text. It is empty again when the last call in it has been freed. What does not fit comes
// from malloc(), as does what a master adds to a call.

#ifndef MESOS_LUA_CLUSTER_CALL_ROOM_H
#define MESOS_LUA_CLUSTER_CALL_ROOM_H

#include "base/bytes.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

enum { CALL_ROOM_BYTES = 16 << 10, CALL_ROOM_ALIGNMENT = 16 };

// It does not move while calls are in it.
struct call_room {
    ProtobufCAllocator allocator;
    size_t used;
    unsigned calls; // that are in it
    _Alignas(CALL_ROOM_ALIGNMENT) uint8_t bytes[CALL_ROOM_BYTES];
};

void call_room_init(struct call_room *room); // of zeroed memory

// NULL: the bytes are no call. To be freed below.
Mesos__V1__Scheduler__Call *call_room_unpack(struct call_room *room, struct slice bytes);
void call_room_free(struct call_room *room, Mesos__V1__Scheduler__Call *call);

#endif
