// SPDX-License-Identifier: Apache-2.0
//
// What is remembered of a task for operators, during its life and after it: its description and the
// statuses that its framework was sent, of each run of equal states the latest. Both are kept as
// packed messages, as there may be many tasks and few look at them; the statuses without what they
// have in common.

#ifndef MESOS_LUA_MASTER_TASK_RECORD_H
#define MESOS_LUA_MASTER_TASK_RECORD_H

#include "agent/status_update.h"
#include "base/bytes.h"
#include "offers/resources.h"

#include "mesos/v1/mesos.pb-c.h"

#define TASK_RECORD_STATUSES 32 // the oldest one behind the first makes room

struct task_record {
    TAILQ_ENTRY(task_record) link; // in a list of a framework's past
    unsigned node;                 // the number of its agent
    Mesos__V1__TaskState state;    // the latest that is known
    Mesos__V1__TaskState shown;    // the latest that operators were told
    double first;            // when its first status was made, seconds since the epoch; 0: never
    struct bytes *container; // the first ContainerStatus of a status, which most share; or NULL
    uint8_t *statuses;       // see task_record.c
    uint32_t status_count, status_bytes; // how many, and all of their bytes
    uint32_t last_status;                // where the last one begins
    Mesos__V1__TaskState last_state;     // its
    uint32_t length;                     // of the description, a Task, which stands behind the id
    char id[];
};

TAILQ_HEAD(task_records, task_record);

// What the master adds to what the framework says about its task.
struct task_origin {
    const char *framework_id;
    unsigned node;
    const struct resources *resources; // with their allocation
};

struct task_record *task_record_create(const Mesos__V1__TaskInfo *info,
                                       const struct task_origin *origin);
void task_record_destroy(struct task_record *record); // NULL is fine

// Unpacks a ContainerStatus; NULL for NULL. Of the caller.
Mesos__V1__ContainerStatus *task_record_container(const struct bytes *packed);

// Adds a status; of one that is sent again nothing is added. Its `data` is not kept.
void task_record_add_status(struct task_record *record, const struct status_update *update);

// The task as a message, to be freed with mesos__v1__task__free_unpacked(task, NULL).
Mesos__V1__Task *task_record_message(const struct task_record *record);

#endif
