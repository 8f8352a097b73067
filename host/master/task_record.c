// SPDX-License-Identifier: Apache-2.0
//
// Records of tasks; see the header. Of a status the ids and the container are left out where they
// are those of the task: they would be three quarters of it.

#include "master/task_record.h"

#include "base/memory.h"
#include "master/status_encoding.h"
#include "wire/message_copy.h"

#include <stdlib.h>
#include <string.h>

static uint8_t *pack(const ProtobufCMessage *message, size_t *length)
{
    *length = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = memory_new(*length + 1);
    protobuf_c_message_pack(message, bytes);
    return bytes;
}

enum { LEFT_AGENT = 1, LEFT_EXECUTOR = 2, LEFT_CONTAINER = 4 };

static char *user_of(const Mesos__V1__TaskInfo *info)
{
    if (info->command != NULL && info->command->user != NULL)
        return info->command->user;
    return info->executor != NULL && info->executor->command != NULL ? info->executor->command->user
                                                                     : NULL;
}

static void copy_limits(Mesos__V1__Task *task, Mesos__V1__Task__LimitsEntry *entries,
                        const Mesos__V1__TaskInfo *info)
{
    for (size_t i = 0; i < info->n_limits; i++) {
        mesos__v1__task__limits_entry__init(&entries[i]);
        entries[i].key = info->limits[i]->key;
        entries[i].value = info->limits[i]->value;
        task->limits[i] = &entries[i];
    }
    task->n_limits = info->n_limits;
}

static void describe(Mesos__V1__Task *task, const Mesos__V1__TaskInfo *info,
                     const struct task_origin *origin)
{
    task->name = info->name;
    task->task_id = info->task_id;
    task->agent_id = info->agent_id;
    task->state = MESOS__V1__TASK_STATE__TASK_STAGING;
    task->n_resources = origin->resources->count;
    task->resources = origin->resources->items;
    task->labels = info->labels;
    task->discovery = info->discovery;
    task->container = info->container;
    task->health_check = info->health_check;
    task->kill_policy = info->kill_policy;
    task->user = user_of(info);
}

struct task_record *task_record_create(const Mesos__V1__TaskInfo *info,
                                       const struct task_origin *origin)
{
    struct task_record *record = memory_new(sizeof *record);
    Mesos__V1__Task task = MESOS__V1__TASK__INIT;
    Mesos__V1__FrameworkID framework_id = MESOS__V1__FRAMEWORK_ID__INIT;
    Mesos__V1__Task__LimitsEntry *entries = memory_new((info->n_limits + 1) * sizeof *entries);
    framework_id.value = (char *)(uintptr_t)origin->framework_id;
    describe(&task, info, origin);
    task.framework_id = &framework_id;
    if (info->executor != NULL)
        task.executor_id = info->executor->executor_id;
    task.limits = memory_new((info->n_limits + 1) * sizeof *task.limits);
    copy_limits(&task, entries, info);
    record->id = memory_string(info->task_id->value);
    record->node = origin->node;
    record->state = record->shown = MESOS__V1__TASK_STATE__TASK_STAGING;
    size_t length;
    record->description = pack(&task.base, &length);
    record->length = (uint32_t)length;
    free(task.limits);
    free(entries);
    return record;
}

void task_record_destroy(struct task_record *record)
{
    if (record == NULL)
        return;
    for (size_t i = 0; i < record->status_count; i++)
        free(record->statuses[i].bytes);
    free(record->statuses);
    bytes_unref(record->container);
    free(record->description);
    free(record->id);
    free(record);
}

// The place of a new status, whose bytes are free to be set.
static struct packed_status *make_room(struct task_record *record, Mesos__V1__TaskState state)
{
    struct packed_status *statuses = record->statuses;
    uint32_t count = record->status_count;
    if (count > 0 && statuses[count - 1].state == state) {
        free(statuses[count - 1].bytes);
        return &statuses[count - 1];
    }
    if (count == TASK_RECORD_STATUSES) {
        free(statuses[1].bytes);
        memmove(statuses + 1, statuses + 2, (count - 2) * sizeof *statuses);
        return &statuses[count - 1];
    }
    record->statuses = memory_resize(statuses, (count + 1) * sizeof *statuses);
    record->status_count++;
    return &record->statuses[count];
}

// True if the container is the record's; the first one that comes is.
static bool is_own_container(struct task_record *record, const Mesos__V1__ContainerStatus *status)
{
    if (status == NULL)
        return false;
    struct buffer packed;
    buffer_init(&packed, SIZE_MAX);
    status_encoding_put_container(&packed, status);
    if (record->container == NULL)
        record->container = bytes_copy(packed.data, packed.length);
    bool same = slice_equal(buffer_slice(&packed), slice_of(record->container));
    buffer_free(&packed);
    return same;
}

// A status always has the id of its task, so it stays, but empty.
static uint8_t leave_out(struct task_record *record, Mesos__V1__TaskStatus *status)
{
    uint8_t left = 0;
    if (status->agent_id != NULL)
        left |= LEFT_AGENT;
    if (status->executor_id != NULL && strcmp(status->executor_id->value, record->id) == 0)
        left |= LEFT_EXECUTOR;
    if (is_own_container(record, status->container_status))
        left |= LEFT_CONTAINER;
    status->has_data = false;
    status->agent_id = NULL;
    status->executor_id = (left & LEFT_EXECUTOR) != 0 ? NULL : status->executor_id;
    status->container_status = (left & LEFT_CONTAINER) != 0 ? NULL : status->container_status;
    return left;
}

void task_record_add_status(struct task_record *record, const Mesos__V1__TaskStatus *status)
{
    Mesos__V1__TaskStatus bare = *status;
    Mesos__V1__TaskID nothing = MESOS__V1__TASK_ID__INIT;
    nothing.value = (char *)(uintptr_t) "";
    bare.task_id = &nothing;
    uint8_t left = leave_out(record, &bare);
    struct packed_status *place = make_room(record, status->state);
    struct buffer packed;
    buffer_init(&packed, SIZE_MAX);
    status_encoding_put(&packed, &bare);
    place->state = status->state;
    place->length = (uint32_t)packed.length;
    place->bytes = memory_resize(NULL, packed.length + 1);
    place->bytes[0] = left;
    memcpy(place->bytes + 1, packed.data, packed.length);
    buffer_free(&packed);
    if (record->first == 0)
        record->first = status->timestamp;
}

Mesos__V1__ContainerStatus *task_record_container(const struct bytes *packed)
{
    return packed ? mesos__v1__container_status__unpack(NULL, packed->length, packed->data) : NULL;
}

static Mesos__V1__ExecutorID *executor_id_of(const char *text)
{
    Mesos__V1__ExecutorID id = MESOS__V1__EXECUTOR_ID__INIT;
    id.value = (char *)(uintptr_t)text;
    return message_copy(&id.base);
}

static Mesos__V1__TaskStatus *status_of(const struct task_record *record,
                                        const Mesos__V1__Task *task,
                                        const struct packed_status *packed)
{
    uint8_t left = packed->bytes[0];
    Mesos__V1__TaskStatus *status =
        mesos__v1__task_status__unpack(NULL, packed->length, packed->bytes + 1);
    mesos__v1__task_id__free_unpacked(status->task_id, NULL);
    status->task_id = message_copy(&task->task_id->base);
    if ((left & LEFT_AGENT) != 0)
        status->agent_id = message_copy(&task->agent_id->base);
    if ((left & LEFT_EXECUTOR) != 0)
        status->executor_id = executor_id_of(record->id);
    if ((left & LEFT_CONTAINER) != 0)
        status->container_status = task_record_container(record->container);
    return status;
}

static void add_statuses(Mesos__V1__Task *task, const struct task_record *record)
{
    task->statuses = memory_new((record->status_count + 1) * sizeof *task->statuses);
    for (size_t i = 0; i < record->status_count; i++)
        task->statuses[task->n_statuses++] = status_of(record, task, &record->statuses[i]);
}

// The last update is the one that the framework was sent last.
static void add_update(Mesos__V1__Task *task)
{
    const Mesos__V1__TaskStatus *last = task->statuses[task->n_statuses - 1];
    task->has_status_update_state = true;
    task->status_update_state = last->state;
    if (!last->has_uuid)
        return;
    task->has_status_update_uuid = true;
    task->status_update_uuid.len = last->uuid.len;
    task->status_update_uuid.data = memory_new(last->uuid.len + 1);
    memcpy(task->status_update_uuid.data, last->uuid.data, last->uuid.len);
}

Mesos__V1__Task *task_record_message(const struct task_record *record)
{
    Mesos__V1__Task *task = mesos__v1__task__unpack(NULL, record->length, record->description);
    task->state = record->state;
    add_statuses(task, record);
    if (task->n_statuses > 0)
        add_update(task);
    return task;
}
