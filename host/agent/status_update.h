// SPDX-License-Identifier: Apache-2.0
//
// An update of a task on its way: a TaskStatus, packed once, as the event that its framework is
// sent, with what agent and master look at on the way beside it. It waits at its agent for the
// acknowledgement, is sent again, and is late, as one block that all share; what it says never
// changes.

#ifndef MESOS_LUA_AGENT_STATUS_UPDATE_H
#define MESOS_LUA_AGENT_STATUS_UPDATE_H

#include "base/bytes.h"
#include "loop/loop.h"

#include "mesos/v1/mesos.pb-c.h"

#include <stdbool.h>
#include <sys/queue.h>

struct status_update {
    TAILQ_ENTRY(status_update) link; // of task_updates.c, as are the next two
    struct timer retry;
    uint64_t retry_after;
    unsigned references;
    Mesos__V1__TaskState state;
    double timestamp;
    bool has_healthy, healthy;
    bool has_check, has_container; // as fields of the status
    bool of_check;                 // it says what a check has found
    struct slice uuid;             // data NULL: it has none, and is not acknowledged
    struct slice event;            // the event UPDATE
    struct slice status;           // the TaskStatus in it
    uint8_t bytes[];
};

// One reference, which is the caller's. The bytes are those that protobuf-c writes.
struct status_update *status_update_create(const Mesos__V1__TaskStatus *status);

struct status_update *status_update_ref(struct status_update *update); // returns `update`
void status_update_unref(struct status_update *update);

struct slice status_update_task_id(const struct status_update *update);

// The status as a struct, to be freed with mesos__v1__task_status__free_unpacked(status, NULL).
Mesos__V1__TaskStatus *status_update_message(const struct status_update *update);

#endif
