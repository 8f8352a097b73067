// SPDX-License-Identifier: Apache-2.0
//
// The calls of the v1 scheduler API as bytes. A call is a framework id, a type and one message
// whose contents the caller has already; it is put together here without being unpacked.

#ifndef MESOS_LUA_MESOS_CALLS_H
#define MESOS_LUA_MESOS_CALLS_H

#include "base/buffer.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

// The types are those of Mesos, shorter: CALL_KILL.
enum call_type {
    CALL_SUBSCRIBE = 1,
    CALL_TEARDOWN = 2,
    CALL_ACCEPT = 3,
    CALL_DECLINE = 4,
    CALL_REVIVE = 5,
    CALL_KILL = 6,
    CALL_SHUTDOWN = 7,
    CALL_ACKNOWLEDGE = 8,
    CALL_RECONCILE = 9,
    CALL_MESSAGE = 10,
    CALL_REQUEST = 11,
    CALL_SUPPRESS = 12,
    CALL_ACCEPT_INVERSE_OFFERS = 13,
    CALL_DECLINE_INVERSE_OFFERS = 14,
    CALL_ACKNOWLEDGE_OPERATION_STATUS = 15,
    CALL_RECONCILE_OPERATIONS = 16,
    CALL_UPDATE_FRAMEWORK = 17,
    CALL_TYPES
};

// By type.
struct call_counters {
    uint64_t calls[CALL_TYPES];      // sent
    uint64_t refused[CALL_TYPES];    // answered with other than 200 or 202
    uint64_t unanswered[CALL_TYPES]; // broken off before the answer
    uint64_t dropped[CALL_TYPES];    // not sent: there was no master, or it was too large
};

const char *calls_name(enum call_type type); // "KILL"

// Replaces the contents of `call` by a call of that type: `framework_id` may be empty (the first
// SUBSCRIBE), `message` is the wire form of the call's own message and is left out if its data is
// NULL. False at the buffer's cap.
bool calls_build(struct buffer *call, enum call_type type, struct slice framework_id,
                 struct slice message);

#endif
