// SPDX-License-Identifier: Apache-2.0
//
// What an agent has not acknowledged: see unacknowledged.h.

#include "executor/unacknowledged.h"

#include "base/memory.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include "mesos/v1/mesos.pb-c.h"

#include <stdlib.h>
#include <string.h>

void unacknowledged_init(struct unacknowledged *unacknowledged)
{
    *unacknowledged = (struct unacknowledged){.live = 0};
    TAILQ_INIT(&unacknowledged->tasks);
    TAILQ_INIT(&unacknowledged->updates);
}

// ---- tasks ----

static void forget_task(struct unacknowledged *unacknowledged, struct executor_task *task)
{
    TAILQ_REMOVE(&unacknowledged->tasks, task, link);
    string_map_remove(&unacknowledged->by_id, &task->entry);
    unacknowledged->live -= !task->ended;
    bytes_unref(task->block);
    free(task->id);
    free(task);
}

bool unacknowledged_launch(struct unacknowledged *unacknowledged, struct bytes *block,
                           struct slice task)
{
    struct slice id = wire_text(wire_find(task, FIELD_TASK_INFO_TASK_ID));
    char *text = memory_text((const char *)id.data, id.length);
    if (string_map_find(&unacknowledged->by_id, text) != NULL) {
        free(text);
        return false;
    }
    struct executor_task *kept = memory_new(sizeof *kept);
    kept->id = text;
    kept->block = bytes_ref(block);
    kept->info = task;
    TAILQ_INSERT_TAIL(&unacknowledged->tasks, kept, link);
    string_map_put(&unacknowledged->by_id, &kept->entry, kept->id, kept);
    unacknowledged->live++;
    return true;
}

static struct executor_task *find_task(const struct unacknowledged *unacknowledged, struct slice id)
{
    char *text = memory_text((const char *)id.data, id.length);
    struct executor_task *task = string_map_find(&unacknowledged->by_id, text);
    free(text);
    return task;
}

bool unacknowledged_lives(const struct unacknowledged *unacknowledged, const char *task_id)
{
    const struct executor_task *task = string_map_find(&unacknowledged->by_id, task_id);
    return task != NULL && !task->ended;
}

// ---- updates ----

static bool is_terminal(struct slice status)
{
    int32_t state = 0;
    wire_find_enum(status, FIELD_TASK_STATUS_STATE, &state);
    switch (state) {
    case MESOS__V1__TASK_STATE__TASK_FINISHED:
    case MESOS__V1__TASK_STATE__TASK_FAILED:
    case MESOS__V1__TASK_STATE__TASK_KILLED:
    case MESOS__V1__TASK_STATE__TASK_ERROR:
    case MESOS__V1__TASK_STATE__TASK_LOST:
    case MESOS__V1__TASK_STATE__TASK_DROPPED:
    case MESOS__V1__TASK_STATE__TASK_GONE:
        return true;
    default:
        return false;
    }
}

static struct executor_task *task_of(const struct unacknowledged *unacknowledged,
                                     struct slice status)
{
    return find_task(unacknowledged, wire_text(wire_find(status, FIELD_TASK_STATUS_TASK_ID)));
}

struct executor_update *unacknowledged_add(struct unacknowledged *unacknowledged,
                                           struct slice status, const uint8_t uuid[UUID_LENGTH])
{
    if (status.length > UNACKNOWLEDGED_BYTES_MOST - unacknowledged->bytes)
        return NULL;
    struct executor_update *update = memory_new(sizeof *update);
    update->status = bytes_copy(status.data, status.length);
    memcpy(update->uuid, uuid, UUID_LENGTH);
    TAILQ_INSERT_TAIL(&unacknowledged->updates, update, link);
    unacknowledged->bytes += status.length;
    struct executor_task *task = task_of(unacknowledged, status);
    if (task != NULL && !task->ended && is_terminal(status)) {
        task->ended = true;
        unacknowledged->live--;
    }
    return update;
}

struct executor_update *unacknowledged_find(struct unacknowledged *unacknowledged,
                                            const uint8_t uuid[UUID_LENGTH])
{
    struct executor_update *update;
    TAILQ_FOREACH(update, &unacknowledged->updates, link)
    if (memcmp(update->uuid, uuid, UUID_LENGTH) == 0)
        break;
    return update;
}

void unacknowledged_drop(struct unacknowledged *unacknowledged, struct executor_update *update)
{
    struct slice status = slice_of(update->status);
    struct executor_task *task = task_of(unacknowledged, status);
    if (task != NULL && is_terminal(status))
        forget_task(unacknowledged, task);
    TAILQ_REMOVE(&unacknowledged->updates, update, link);
    unacknowledged->bytes -= update->status->length;
    bytes_unref(update->status);
    free(update);
}

bool unacknowledged_take(struct unacknowledged *unacknowledged, struct slice task_id,
                         struct slice uuid)
{
    if (uuid.length != UUID_LENGTH)
        return false;
    struct executor_update *update = unacknowledged_find(unacknowledged, uuid.data);
    struct executor_task *task = find_task(unacknowledged, task_id);
    if (update == NULL)
        return false;
    if (task != NULL) {
        bytes_unref(task->block);
        task->block = NULL;
    }
    unacknowledged_drop(unacknowledged, update);
    return true;
}

void unacknowledged_mark(struct unacknowledged *unacknowledged, bool sent)
{
    struct executor_update *update;
    TAILQ_FOREACH(update, &unacknowledged->updates, link)
    update->sent = sent;
}

// ---- all of it ----

static bool put_update(struct buffer *buffer, const struct executor_update *update)
{
    size_t mark = wire_begin(buffer, FIELD_EXECUTOR_CALL_SUBSCRIBE_UNACKNOWLEDGED_UPDATES);
    wire_put_bytes(buffer, FIELD_EXECUTOR_CALL_UPDATE_STATUS, slice_of(update->status));
    return wire_end(buffer, mark);
}

bool unacknowledged_write(const struct unacknowledged *unacknowledged, struct buffer *buffer)
{
    const struct executor_task *task;
    const struct executor_update *update;
    bool good = true;
    TAILQ_FOREACH(task, &unacknowledged->tasks, link)
    if (task->block != NULL)
        good = wire_put_bytes(buffer, FIELD_EXECUTOR_CALL_SUBSCRIBE_UNACKNOWLEDGED_TASKS,
                              task->info) &&
               good;
    TAILQ_FOREACH(update, &unacknowledged->updates, link)
    good = put_update(buffer, update) && good;
    return good;
}

void unacknowledged_free(struct unacknowledged *unacknowledged)
{
    while (!TAILQ_EMPTY(&unacknowledged->updates))
        unacknowledged_drop(unacknowledged, TAILQ_FIRST(&unacknowledged->updates));
    while (!TAILQ_EMPTY(&unacknowledged->tasks))
        forget_task(unacknowledged, TAILQ_FIRST(&unacknowledged->tasks));
    string_map_free(&unacknowledged->by_id);
}
