// SPDX-License-Identifier: Apache-2.0
//
// Acknowledgements, and updates of the driver's own: see acknowledgements.h.

#include "mesos/acknowledgements.h"

#include "base/memory.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

#include <stdlib.h>

enum { KEPT_MOST = 1024 };

struct update_kept {
    struct update_kept *next;
    struct bytes *status;
};

static bool is_present(struct slice slice)
{
    return slice.length > 0;
}

bool acknowledgements_build(const struct task_status *status, struct buffer *out)
{
    buffer_clear(out);
    return is_present(status->uuid) && is_present(status->agent_id) &&
           wire_put_bytes(out, FIELD_SCHEDULER_CALL_ACKNOWLEDGE_AGENT_ID, status->agent_id) &&
           wire_put_bytes(out, FIELD_SCHEDULER_CALL_ACKNOWLEDGE_TASK_ID, status->task_id) &&
           wire_put_bytes(out, FIELD_SCHEDULER_CALL_ACKNOWLEDGE_UUID, status->uuid);
}

// The uuid of an OperationStatus is a message, that of its acknowledgement is bytes.
static struct slice operation_uuid(struct slice status)
{
    return wire_find(wire_find(status, FIELD_OPERATION_STATUS_UUID), FIELD_UUID_VALUE);
}

bool acknowledgements_build_operation(struct slice status, struct buffer *out)
{
    struct slice agent_id = wire_find(status, FIELD_OPERATION_STATUS_AGENT_ID);
    struct slice provider_id = wire_find(status, FIELD_OPERATION_STATUS_RESOURCE_PROVIDER_ID);
    struct slice operation_id = wire_find(status, FIELD_OPERATION_STATUS_OPERATION_ID);
    struct slice uuid = operation_uuid(status);
    buffer_clear(out);
    if (!is_present(uuid) || !is_present(agent_id) || !is_present(operation_id))
        return false;
    if (!wire_put_bytes(out, FIELD_SCHEDULER_CALL_ACKNOWLEDGE_OPERATION_STATUS_AGENT_ID, agent_id))
        return false;
    if (is_present(provider_id) &&
        !wire_put_bytes(out, FIELD_SCHEDULER_CALL_ACKNOWLEDGE_OPERATION_STATUS_RESOURCE_PROVIDER_ID,
                        provider_id))
        return false;
    return wire_put_bytes(out, FIELD_SCHEDULER_CALL_ACKNOWLEDGE_OPERATION_STATUS_UUID, uuid) &&
           wire_put_bytes(out, FIELD_SCHEDULER_CALL_ACKNOWLEDGE_OPERATION_STATUS_OPERATION_ID,
                          operation_id);
}

static struct update_kept **find_kept(struct acknowledgements_kept *kept, struct slice uuid)
{
    struct update_kept **link = &kept->first;
    while (*link != NULL && !slice_equal(operation_uuid(slice_of((*link)->status)), uuid))
        link = &(*link)->next;
    return link;
}

static struct bytes *unlink_kept(struct acknowledgements_kept *kept, struct update_kept **link)
{
    struct update_kept *update = *link;
    struct bytes *status = update->status;
    *link = update->next;
    kept->count--;
    free(update);
    return status;
}

static void forget_oldest(struct acknowledgements_kept *kept)
{
    struct update_kept **link = &kept->first;
    while ((*link)->next != NULL)
        link = &(*link)->next;
    bytes_unref(unlink_kept(kept, link));
}

void acknowledgements_keep(struct acknowledgements_kept *kept, struct slice status)
{
    struct slice uuid = operation_uuid(status);
    if (!is_present(uuid) || *find_kept(kept, uuid) != NULL)
        return;
    if (kept->count == KEPT_MOST)
        forget_oldest(kept);
    struct update_kept *update = memory_new(sizeof *update);
    *update =
        (struct update_kept){.next = kept->first, .status = bytes_copy(status.data, status.length)};
    kept->first = update;
    kept->count++;
}

struct bytes *acknowledgements_take(struct acknowledgements_kept *kept, struct slice status)
{
    struct update_kept **link = find_kept(kept, operation_uuid(status));
    return *link ? unlink_kept(kept, link) : NULL;
}

void acknowledgements_forget(struct acknowledgements_kept *kept)
{
    while (kept->first != NULL)
        bytes_unref(unlink_kept(kept, &kept->first));
}

static void put_status(struct buffer *out, struct slice task_id, const char *why,
                       bool partition_aware, double timestamp)
{
    wire_put_id(out, FIELD_TASK_STATUS_TASK_ID, task_id);
    wire_put_varint(out, FIELD_TASK_STATUS_STATE,
                    partition_aware ? MESOS__V1__TASK_STATE__TASK_DROPPED
                                    : MESOS__V1__TASK_STATE__TASK_LOST);
    wire_put_bytes(out, FIELD_TASK_STATUS_MESSAGE, slice_text(why));
    wire_put_double(out, FIELD_TASK_STATUS_TIMESTAMP, timestamp);
    wire_put_varint(out, FIELD_TASK_STATUS_SOURCE, MESOS__V1__TASK_STATUS__SOURCE__SOURCE_MASTER);
    wire_put_varint(out, FIELD_TASK_STATUS_REASON,
                    MESOS__V1__TASK_STATUS__REASON__REASON_MASTER_DISCONNECTED);
}

struct bytes *acknowledgements_disconnected(struct slice task_id, const char *why,
                                            bool partition_aware, double timestamp)
{
    struct buffer event;
    buffer_init(&event, SIZE_MAX);
    wire_put_varint(&event, FIELD_SCHEDULER_EVENT_TYPE, MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE);
    size_t update = wire_begin(&event, FIELD_SCHEDULER_EVENT_UPDATE),
           status = wire_begin(&event, FIELD_SCHEDULER_EVENT_UPDATE_STATUS);
    put_status(&event, task_id, why, partition_aware, timestamp);
    wire_end(&event, status);
    wire_end(&event, update);
    struct bytes *bytes = bytes_copy(event.data, event.length);
    buffer_free(&event);
    return bytes;
}
