// SPDX-License-Identifier: Apache-2.0
//
// Records of tasks; see the header. Of a status the ids and the container are left out where they
// are those of the task: they would be three quarters of it. The statuses stand in one block, each
// behind a head.

#include "master/task_record.h"

#include "base/memory.h"
#include "offers/resource_bytes.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

// ---- the record and its description ----

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

// Its entries are the caller's.
static Mesos__V1__Task__LimitsEntry *add_limits(Mesos__V1__Task *task,
                                                const Mesos__V1__TaskInfo *info)
{
    if (info->n_limits == 0)
        return NULL;
    Mesos__V1__Task__LimitsEntry *entries = memory_new(info->n_limits * sizeof *entries);
    task->limits = memory_new(info->n_limits * sizeof *task->limits);
    copy_limits(task, entries, info);
    return entries;
}

// True if its fields are those that put_common() writes.
static bool is_common(const Mesos__V1__Task *task)
{
    return task->executor_id == NULL && task->labels == NULL && task->discovery == NULL &&
           task->container == NULL && task->health_check == NULL && task->kill_policy == NULL &&
           task->n_limits == 0 && task->task_id->base.n_unknown_fields == 0 &&
           task->agent_id->base.n_unknown_fields == 0;
}

static void put_common(struct buffer *out, const Mesos__V1__Task *task)
{
    wire_put_bytes(out, FIELD_TASK_NAME, slice_text(task->name));
    wire_put_id(out, FIELD_TASK_TASK_ID, slice_text(task->task_id->value));
    wire_put_id(out, FIELD_TASK_FRAMEWORK_ID, slice_text(task->framework_id->value));
    wire_put_id(out, FIELD_TASK_AGENT_ID, slice_text(task->agent_id->value));
    wire_put_varint(out, FIELD_TASK_STATE, (uint64_t)task->state);
    for (size_t i = 0; i < task->n_resources; i++) {
        size_t mark = wire_begin(out, FIELD_TASK_RESOURCES);
        resource_bytes_put(out, task->resources[i]);
        wire_end(out, mark);
    }
    if (task->user != NULL)
        wire_put_bytes(out, FIELD_TASK_USER, slice_text(task->user));
}

// Nearly all are written without a walk over descriptors.
static void put_description(struct buffer *out, const Mesos__V1__Task *task)
{
    if (is_common(task)) {
        put_common(out, task);
        return;
    }
    size_t length = mesos__v1__task__get_packed_size(task);
    mesos__v1__task__pack(task, buffer_reserve(out, length));
    out->length += length;
}

static struct task_record *create(const char *id, const Mesos__V1__Task *description)
{
    struct buffer bytes;
    size_t id_size = strlen(id) + 1;
    buffer_init(&bytes, SIZE_MAX);
    put_description(&bytes, description);
    struct task_record *record = memory_resize(NULL, sizeof *record + id_size + bytes.length);
    *record = (struct task_record){.state = MESOS__V1__TASK_STATE__TASK_STAGING,
                                   .shown = MESOS__V1__TASK_STATE__TASK_STAGING,
                                   .length = (uint32_t)bytes.length};
    memcpy(record->id, id, id_size);
    memcpy(record->id + id_size, bytes.data, bytes.length);
    buffer_free(&bytes);
    return record;
}

struct task_record *task_record_create(const Mesos__V1__TaskInfo *info,
                                       const struct task_origin *origin)
{
    Mesos__V1__Task task = MESOS__V1__TASK__INIT;
    Mesos__V1__FrameworkID framework_id = MESOS__V1__FRAMEWORK_ID__INIT;
    framework_id.value = (char *)(uintptr_t)origin->framework_id;
    describe(&task, info, origin);
    task.framework_id = &framework_id;
    if (info->executor != NULL)
        task.executor_id = info->executor->executor_id;
    Mesos__V1__Task__LimitsEntry *entries = add_limits(&task, info);
    struct task_record *record = create(info->task_id->value, &task);
    record->node = origin->node;
    free(task.limits);
    free(entries);
    return record;
}

static Mesos__V1__Task *read_description(const struct task_record *record)
{
    const char *bytes = record->id + strlen(record->id) + 1;
    return mesos__v1__task__unpack(NULL, record->length, (const uint8_t *)bytes);
}

void task_record_destroy(struct task_record *record)
{
    if (record == NULL)
        return;
    bytes_unref(record->container);
    free(record->statuses);
    free(record);
}

// ---- the block of statuses ----

enum { LEFT_AGENT = 1, LEFT_EXECUTOR = 2, LEFT_CONTAINER = 4 };

struct status_head {
    uint32_t length; // of the status behind it
    uint8_t left;    // what was left out
};

enum { HEAD_SIZE = sizeof(uint32_t) + sizeof(uint8_t) }; // as it stands in the block

static void write_head(uint8_t *to, const struct status_head *head)
{
    memcpy(to, &head->length, sizeof head->length);
    to[sizeof head->length] = head->left;
}

static struct status_head read_head(const uint8_t *from)
{
    struct status_head head;
    memcpy(&head.length, from, sizeof head.length);
    head.left = from[sizeof head.length];
    return head;
}

static void remove_last(struct task_record *record)
{
    record->status_bytes = record->last_status;
    record->status_count--;
}

static void remove_second(struct task_record *record)
{
    size_t second = HEAD_SIZE + read_head(record->statuses).length;
    size_t third = second + HEAD_SIZE + read_head(record->statuses + second).length;
    memmove(record->statuses + second, record->statuses + third, record->status_bytes - third);
    record->status_bytes -= (uint32_t)(third - second);
    record->status_count--;
}

// The place of a new status with its head, which is the last one then.
static uint8_t *make_room(struct task_record *record, Mesos__V1__TaskState state, size_t size)
{
    if (record->status_count > 0 && record->last_state == state)
        remove_last(record);
    else if (record->status_count == TASK_RECORD_STATUSES)
        remove_second(record);
    record->statuses = memory_resize(record->statuses, record->status_bytes + size);
    record->last_status = record->status_bytes;
    record->last_state = state;
    record->status_bytes += (uint32_t)size;
    record->status_count++;
    return record->statuses + record->last_status;
}

// ---- a new status ----

enum { RUNS = 8 };

// A status without what is left out: the runs of bytes between that. There are fewer than RUNS, as
// each field is in a status once; if there were more, the rest would stay.
struct kept_status {
    struct slice runs[RUNS];
    size_t count;
    struct status_head head;
};

// True if the container is the record's; the first one that comes is.
static bool is_own_container(struct task_record *record, struct slice container)
{
    if (record->container == NULL)
        record->container = bytes_copy(container.data, container.length);
    return slice_equal(container, slice_of(record->container));
}

// Its `data` is not kept, and its task is always the record's.
static bool is_left_out(struct task_record *record, const struct wire_field *field, uint8_t *left)
{
    switch (field->number) {
    case FIELD_TASK_STATUS_TASK_ID:
    case FIELD_TASK_STATUS_DATA:
        return true;
    case FIELD_TASK_STATUS_AGENT_ID:
        *left |= LEFT_AGENT;
        return true;
    case FIELD_TASK_STATUS_EXECUTOR_ID:
        if (!slice_equal(wire_text(field->bytes), slice_text(record->id)))
            return false;
        *left |= LEFT_EXECUTOR;
        return true;
    case FIELD_TASK_STATUS_CONTAINER_STATUS:
        if (!is_own_container(record, field->bytes))
            return false;
        *left |= LEFT_CONTAINER;
        return true;
    default:
        return false;
    }
}

static void leave_out(struct task_record *record, struct slice status, struct kept_status *kept)
{
    struct wire wire = wire_open(status);
    struct wire_field field;
    struct slice *run = NULL;
    kept->count = 0;
    kept->head = (struct status_head){.length = 0};
    for (const uint8_t *at = wire.at; wire_next(&wire, &field); at = wire.at) {
        if (kept->count < RUNS && is_left_out(record, &field, &kept->head.left)) {
            run = NULL;
            continue;
        }
        if (run == NULL) {
            run = &kept->runs[kept->count++];
            *run = (struct slice){.data = at};
        }
        run->length += (size_t)(wire.at - at);
        kept->head.length += (uint32_t)(wire.at - at);
    }
}

void task_record_add_status(struct task_record *record, const struct status_update *update)
{
    struct kept_status kept;
    leave_out(record, update->status, &kept);
    uint8_t *to = make_room(record, update->state, HEAD_SIZE + kept.head.length);
    write_head(to, &kept.head);
    to += HEAD_SIZE;
    for (size_t i = 0; i < kept.count; i++) {
        memcpy(to, kept.runs[i].data, kept.runs[i].length);
        to += kept.runs[i].length;
    }
    if (record->first == 0)
        record->first = update->timestamp;
}

// ---- messages ----

Mesos__V1__ContainerStatus *task_record_container(const struct bytes *packed)
{
    return packed ? mesos__v1__container_status__unpack(NULL, packed->length, packed->data) : NULL;
}

// What was left out stands before the rest, which is the same to a reader.
static Mesos__V1__TaskStatus *status_of(const struct task_record *record,
                                        const Mesos__V1__Task *task, const uint8_t *kept)
{
    struct status_head head = read_head(kept);
    struct buffer bytes;
    buffer_init(&bytes, SIZE_MAX);
    wire_put_id(&bytes, FIELD_TASK_STATUS_TASK_ID, slice_text(record->id));
    if ((head.left & LEFT_AGENT) != 0)
        wire_put_id(&bytes, FIELD_TASK_STATUS_AGENT_ID, slice_text(task->agent_id->value));
    if ((head.left & LEFT_EXECUTOR) != 0)
        wire_put_id(&bytes, FIELD_TASK_STATUS_EXECUTOR_ID, slice_text(record->id));
    if ((head.left & LEFT_CONTAINER) != 0)
        wire_put_bytes(&bytes, FIELD_TASK_STATUS_CONTAINER_STATUS, slice_of(record->container));
    buffer_append(&bytes, kept + HEAD_SIZE, head.length);
    Mesos__V1__TaskStatus *status = mesos__v1__task_status__unpack(NULL, bytes.length, bytes.data);
    buffer_free(&bytes);
    return status;
}

static void add_statuses(Mesos__V1__Task *task, const struct task_record *record)
{
    const uint8_t *next = record->statuses;
    task->statuses = memory_new((record->status_count + 1) * sizeof *task->statuses);
    for (; task->n_statuses < record->status_count; task->n_statuses++) {
        task->statuses[task->n_statuses] = status_of(record, task, next);
        next += HEAD_SIZE + read_head(next).length;
    }
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
    if (last->uuid.len > 0)
        memcpy(task->status_update_uuid.data, last->uuid.data, last->uuid.len);
}

Mesos__V1__Task *task_record_message(const struct task_record *record)
{
    Mesos__V1__Task *task = read_description(record);
    task->state = record->state;
    add_statuses(task, record);
    if (task->n_statuses > 0)
        add_update(task);
    return task;
}
