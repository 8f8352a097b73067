// SPDX-License-Identifier: Apache-2.0
//
// The updates of a task; see the header.

#include "agent/task_updates.h"

#include "base/log.h"
#include "base/memory.h"
#include "wire/message_copy.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_FIRST (10 * LOOP_SECOND)
#define RETRY_LONGEST (600 * LOOP_SECOND)

struct task_update {
    Mesos__V1__TaskStatus *status;
    TAILQ_ENTRY(task_update) link;
};

static void send_first(struct task_updates *updates)
{
    struct task_update *first = TAILQ_FIRST(&updates->queue);
    if (first == NULL) {
        timer_stop(&updates->retry);
        return;
    }
    timer_start(&updates->retry, updates->retry_after);
    updates->send(updates->data, first->status);
}

static void on_retry(void *data)
{
    struct task_updates *updates = data;
    updates->retry_after *= 2;
    if (updates->retry_after > RETRY_LONGEST)
        updates->retry_after = RETRY_LONGEST;
    log_debug("task %s: its update was not acknowledged, sending it again",
              TAILQ_FIRST(&updates->queue)->status->task_id->value);
    send_first(updates);
}

void task_updates_init(struct task_updates *updates, struct loop *loop, task_updates_send send,
                       void *data)
{
    updates->send = send;
    updates->data = data;
    updates->retry_after = RETRY_FIRST;
    timer_init(&updates->retry, loop, on_retry, updates);
    TAILQ_INIT(&updates->queue);
}

static void drop(struct task_updates *updates, struct task_update *update)
{
    TAILQ_REMOVE(&updates->queue, update, link);
    mesos__v1__task_status__free_unpacked(update->status, NULL);
    free(update);
}

static bool is_of_check(const Mesos__V1__TaskStatus *status)
{
    return status->has_reason &&
           (status->reason ==
                MESOS__V1__TASK_STATUS__REASON__REASON_TASK_HEALTH_CHECK_STATUS_UPDATED ||
            status->reason == MESOS__V1__TASK_STATUS__REASON__REASON_TASK_CHECK_STATUS_UPDATED);
}

static void drop_outdated(struct task_updates *updates)
{
    struct task_update *last = TAILQ_LAST(&updates->queue, task_updates_queue);
    if (last != NULL && last != TAILQ_FIRST(&updates->queue) && is_of_check(last->status))
        drop(updates, last);
}

void task_updates_add(struct task_updates *updates, const Mesos__V1__TaskStatus *status)
{
    if (is_of_check(status))
        drop_outdated(updates);
    struct task_update *update = memory_new(sizeof *update);
    update->status = message_copy(&status->base);
    bool idle = TAILQ_EMPTY(&updates->queue);
    TAILQ_INSERT_TAIL(&updates->queue, update, link);
    if (idle)
        task_updates_resend(updates);
}

static bool has_uuid(const struct task_update *update, const ProtobufCBinaryData *uuid)
{
    const ProtobufCBinaryData *own = &update->status->uuid;
    return own->len == uuid->len && memcmp(own->data, uuid->data, uuid->len) == 0;
}

bool task_updates_acknowledge(struct task_updates *updates, const ProtobufCBinaryData *uuid,
                              Mesos__V1__TaskState *state)
{
    struct task_update *first = TAILQ_FIRST(&updates->queue);
    if (first == NULL || !has_uuid(first, uuid))
        return false;
    *state = first->status->state;
    drop(updates, first);
    return true;
}

void task_updates_resend(struct task_updates *updates)
{
    updates->retry_after = RETRY_FIRST;
    send_first(updates);
}

void task_updates_clear(struct task_updates *updates)
{
    timer_stop(&updates->retry);
    while (!TAILQ_EMPTY(&updates->queue))
        drop(updates, TAILQ_FIRST(&updates->queue));
}
