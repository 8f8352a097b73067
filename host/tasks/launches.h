// SPDX-License-Identifier: Apache-2.0
//
// The tasks that an ACCEPT launches, one after the other: those of its LAUNCH operations and of its
// LAUNCH_GROUPs. Everything is read in place from bytes that wire_accept() has accepted, or that we
// wrote.

#ifndef MESOS_LUA_TASKS_LAUNCHES_H
#define MESOS_LUA_TASKS_LAUNCHES_H

#include "base/bytes.h"

#include <stdint.h>

struct launch {
    struct slice task;     // a TaskInfo
    struct slice executor; // the ExecutorInfo of its group; data NULL: it is in no group
};

struct launches {
    struct slice operations; // not visited yet
    struct slice group;      // of the operation, if its tasks were not visited yet
    struct slice tasks;      // of the current list, not visited yet
    uint32_t number;         // of the field of that list
    struct slice executor;
};

struct launches launches_of(struct slice accept); // a Call.Accept
bool launches_next(struct launches *launches, struct launch *launch);
size_t launches_count(struct slice accept); // how many there are

#endif
