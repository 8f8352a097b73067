// SPDX-License-Identifier: Apache-2.0
//
// The updates of a task; see the header.

#include "agent/task_updates.h"

#include "base/log.h"

#define RETRY_FIRST (10 * LOOP_SECOND)
#define RETRY_LONGEST (600 * LOOP_SECOND)

// There is one.
static void send_first(struct task_updates *updates, uint64_t retry_after)
{
    struct status_update *first = TAILQ_FIRST(&updates->queue);
    first->retry_after = retry_after;
    timer_start(&first->retry, retry_after);
    updates->send(updates->data, first);
}

static void on_retry(void *data)
{
    struct task_updates *updates = data;
    const struct status_update *first = TAILQ_FIRST(&updates->queue);
    uint64_t after = 2 * first->retry_after;
    log_debug("task %.*s: its update was not acknowledged, sending it again",
              SLICE_ARGS(status_update_task_id(first)));
    send_first(updates, after < RETRY_LONGEST ? after : RETRY_LONGEST);
}

void task_updates_init(struct task_updates *updates, struct loop *loop, task_updates_send send,
                       void *data)
{
    updates->loop = loop;
    updates->send = send;
    updates->data = data;
    TAILQ_INIT(&updates->queue);
}

static void drop(struct task_updates *updates, struct status_update *update)
{
    timer_stop(&update->retry);
    TAILQ_REMOVE(&updates->queue, update, link);
    status_update_unref(update);
}

static void drop_outdated(struct task_updates *updates)
{
    struct status_update *last = TAILQ_LAST(&updates->queue, task_updates_queue);
    if (last != NULL && last != TAILQ_FIRST(&updates->queue) && last->of_check)
        drop(updates, last);
}

void task_updates_add(struct task_updates *updates, struct status_update *update)
{
    if (update->of_check)
        drop_outdated(updates);
    timer_init(&update->retry, updates->loop, on_retry, updates);
    TAILQ_INSERT_TAIL(&updates->queue, update, link);
    if (update == TAILQ_FIRST(&updates->queue))
        task_updates_resend(updates);
}

static bool has_uuid(const struct status_update *update, const ProtobufCBinaryData *uuid)
{
    return slice_equal(update->uuid, (struct slice){.data = uuid->data, .length = uuid->len});
}

bool task_updates_acknowledge(struct task_updates *updates, const ProtobufCBinaryData *uuid,
                              Mesos__V1__TaskState *state)
{
    struct status_update *first = TAILQ_FIRST(&updates->queue);
    if (first == NULL || !has_uuid(first, uuid))
        return false;
    *state = first->state;
    drop(updates, first);
    return true;
}

void task_updates_resend(struct task_updates *updates)
{
    if (!TAILQ_EMPTY(&updates->queue))
        send_first(updates, RETRY_FIRST);
}

void task_updates_clear(struct task_updates *updates)
{
    while (!TAILQ_EMPTY(&updates->queue))
        drop(updates, TAILQ_FIRST(&updates->queue));
}
