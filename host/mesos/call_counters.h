// SPDX-License-Identifier: Apache-2.0
//
// The types of calls, and how many of each type a driver has made. calls.c counts them, but for
// SUBSCRIBE, which driver.c builds; ops/metrics.c shows them.

#ifndef MESOS_LUA_MESOS_CALL_COUNTERS_H
#define MESOS_LUA_MESOS_CALL_COUNTERS_H

#include <stdint.h>

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
    uint64_t sent[CALL_TYPES];
    uint64_t refused[CALL_TYPES];    // answered with other than 200 or 202
    uint64_t unanswered[CALL_TYPES]; // broken off before the answer
    uint64_t dropped[CALL_TYPES];    // not sent: there was no master, or it was too large
};

#endif
