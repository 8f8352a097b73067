// SPDX-License-Identifier: Apache-2.0
//
// Updates of tasks, packed; see the header. A walk over the descriptors of a status's ten messages
// would take most of the time of an update, so what nearly all statuses have is written field by
// field, from the end to the beginning. A status that has anything beyond that, an unknown field
// included, is left to protobuf-c as a whole.

#include "agent/status_update.h"

#include "base/memory.h"
#include "wire/field_numbers.h"
#include "wire/wire_back.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

#include <stdlib.h>

typedef Mesos__V1__TaskStatus Status;
typedef Mesos__V1__ContainerStatus Container;
typedef Mesos__V1__NetworkInfo Network;

static bool is_bare(const ProtobufCMessage *message)
{
    return message->n_unknown_fields == 0;
}

// ---- what is common ----

static bool is_common_network(const Network *network)
{
    return is_bare(&network->base) && network->n_groups == 0 && network->labels == NULL &&
           network->name == NULL && network->n_port_mappings == 0 && network->n_ip_addresses == 1 &&
           is_bare(&network->ip_addresses[0]->base) && !network->ip_addresses[0]->has_protocol &&
           network->ip_addresses[0]->ip_address != NULL;
}

static bool is_common_id(const Mesos__V1__ContainerID *id)
{
    return is_bare(&id->base) && id->value != NULL && id->parent == NULL;
}

static bool is_common_container(const Container *container)
{
    return is_bare(&container->base) && container->cgroup_info == NULL &&
           container->n_network_infos == 1 && is_common_network(container->network_infos[0]) &&
           container->container_id != NULL && is_common_id(container->container_id);
}

static bool is_common(const Status *status)
{
    return is_bare(&status->base) && status->labels == NULL && status->unreachable_time == NULL &&
           status->check_status == NULL && status->limitation == NULL &&
           is_bare(&status->task_id->base) && status->task_id->value != NULL &&
           (status->agent_id == NULL ||
            (is_bare(&status->agent_id->base) && status->agent_id->value != NULL)) &&
           (status->executor_id == NULL ||
            (is_bare(&status->executor_id->base) && status->executor_id->value != NULL)) &&
           (status->container_status == NULL || is_common_container(status->container_status));
}

// ---- writing ----

// The texts of a common status.
struct status_texts {
    struct slice task_id, data, message, agent_id, executor_id, uuid, ip, container_id;
};

static struct slice binary(const ProtobufCBinaryData *bytes)
{
    return (struct slice){.data = bytes->data, .length = bytes->len};
}

static void read_texts(struct status_texts *texts, const Status *status)
{
    const Container *container = status->container_status;
    *texts = (struct status_texts){.task_id = slice_text(status->task_id->value),
                                   .message = slice_text(status->message)};
    if (status->has_data)
        texts->data = binary(&status->data);
    if (status->agent_id != NULL)
        texts->agent_id = slice_text(status->agent_id->value);
    if (status->executor_id != NULL)
        texts->executor_id = slice_text(status->executor_id->value);
    if (status->has_uuid)
        texts->uuid = binary(&status->uuid);
    if (container == NULL)
        return;
    texts->ip = slice_text(container->network_infos[0]->ip_addresses[0]->ip_address);
    texts->container_id = slice_text(container->container_id->value);
}

// Its bytes at most; those of the event around it are not counted.
static size_t common_size(const struct status_texts *texts)
{
    enum { HEADS = 15, NUMBERS = 6 };
    return texts->task_id.length + texts->data.length + texts->message.length +
           texts->agent_id.length + texts->executor_id.length + texts->uuid.length +
           texts->ip.length + texts->container_id.length + (size_t)HEADS * WIRE_BACK_HEAD +
           (size_t)NUMBERS * WIRE_BACK_NUMBER;
}

static void put_container(struct wire_back *out, const Container *container,
                          const struct status_texts *texts)
{
    const uint8_t *end = out->at;
    wire_back_id(out, FIELD_CONTAINER_STATUS_CONTAINER_ID, texts->container_id);
    if (container->has_executor_pid)
        wire_back_varint(out, FIELD_CONTAINER_STATUS_EXECUTOR_PID, container->executor_pid);
    const uint8_t *network = out->at;
    wire_back_bytes(out, FIELD_NETWORK_INFO_IP_ADDRESS_IP_ADDRESS, texts->ip);
    wire_back_wrap(out, FIELD_NETWORK_INFO_IP_ADDRESSES, network);
    wire_back_wrap(out, FIELD_CONTAINER_STATUS_NETWORK_INFOS, network);
    wire_back_wrap(out, FIELD_TASK_STATUS_CONTAINER_STATUS, end);
}

static void put_uuid(struct status_update *update, struct wire_back *out, struct slice uuid)
{
    const uint8_t *end = out->at;
    wire_back_raw(out, uuid.data, uuid.length);
    update->uuid = (struct slice){.data = out->at, .length = uuid.length};
    wire_back_wrap(out, FIELD_TASK_STATUS_UUID, end);
}

// The fields in the reverse of the order of their numbers.
static void put_common(struct status_update *update, struct wire_back *out, const Status *status,
                       const struct status_texts *texts)
{
    if (status->container_status != NULL)
        put_container(out, status->container_status, texts);
    if (status->has_uuid)
        put_uuid(update, out, texts->uuid);
    if (status->has_reason)
        wire_back_enum(out, FIELD_TASK_STATUS_REASON, (int)status->reason);
    if (status->has_source)
        wire_back_enum(out, FIELD_TASK_STATUS_SOURCE, (int)status->source);
    if (status->has_healthy)
        wire_back_varint(out, FIELD_TASK_STATUS_HEALTHY, status->healthy != 0);
    if (status->executor_id != NULL)
        wire_back_id(out, FIELD_TASK_STATUS_EXECUTOR_ID, texts->executor_id);
    if (status->has_timestamp)
        wire_back_double(out, FIELD_TASK_STATUS_TIMESTAMP, status->timestamp);
    if (status->agent_id != NULL)
        wire_back_id(out, FIELD_TASK_STATUS_AGENT_ID, texts->agent_id);
    if (status->message != NULL)
        wire_back_bytes(out, FIELD_TASK_STATUS_MESSAGE, texts->message);
    if (status->has_data)
        wire_back_bytes(out, FIELD_TASK_STATUS_DATA, texts->data);
    wire_back_enum(out, FIELD_TASK_STATUS_STATE, (int)status->state);
    wire_back_id(out, FIELD_TASK_STATUS_TASK_ID, texts->task_id);
}

// ---- the block ----

static bool is_of_check(const Status *status)
{
    return status->has_reason &&
           (status->reason ==
                MESOS__V1__TASK_STATUS__REASON__REASON_TASK_HEALTH_CHECK_STATUS_UPDATED ||
            status->reason == MESOS__V1__TASK_STATUS__REASON__REASON_TASK_CHECK_STATUS_UPDATED);
}

enum { EVENT_SIZE = WIRE_BACK_NUMBER + 2 * WIRE_BACK_HEAD }; // of what stands before the status

// A block whose end is that of the status, which has that size at most.
static struct status_update *make(const Status *status, size_t size, struct wire_back *out)
{
    struct status_update *update = memory_resize(NULL, sizeof *update + EVENT_SIZE + size);
    *update = (struct status_update){.references = 1,
                                     .state = status->state,
                                     .timestamp = status->timestamp,
                                     .has_healthy = status->has_healthy,
                                     .healthy = status->healthy,
                                     .has_check = status->check_status != NULL,
                                     .has_container = status->container_status != NULL,
                                     .of_check = is_of_check(status)};
    out->at = update->bytes + EVENT_SIZE + size;
    return update;
}

// Takes what was written before `end` as the status, and puts the event around it.
static void complete(struct status_update *update, struct wire_back *out, const uint8_t *end)
{
    update->status = (struct slice){.data = out->at, .length = (size_t)(end - out->at)};
    wire_back_wrap(out, FIELD_SCHEDULER_EVENT_UPDATE_STATUS, end);
    wire_back_wrap(out, FIELD_SCHEDULER_EVENT_UPDATE, end);
    wire_back_varint(out, FIELD_SCHEDULER_EVENT_TYPE, MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE);
    update->event = (struct slice){.data = out->at, .length = (size_t)(end - out->at)};
}

static struct status_update *create_common(const Status *status)
{
    struct status_texts texts;
    struct wire_back out;
    read_texts(&texts, status);
    struct status_update *update = make(status, common_size(&texts), &out);
    const uint8_t *end = out.at;
    put_common(update, &out, status, &texts);
    complete(update, &out, end);
    return update;
}

static struct status_update *create_any(const Status *status)
{
    struct wire_back out;
    size_t size = mesos__v1__task_status__get_packed_size(status);
    struct status_update *update = make(status, size, &out);
    const uint8_t *end = out.at;
    out.at -= size;
    mesos__v1__task_status__pack(status, out.at);
    complete(update, &out, end);
    if (status->has_uuid)
        update->uuid = wire_find(update->status, FIELD_TASK_STATUS_UUID);
    return update;
}

struct status_update *status_update_create(const Status *status)
{
    return is_common(status) ? create_common(status) : create_any(status);
}

struct status_update *status_update_ref(struct status_update *update)
{
    update->references++;
    return update;
}

void status_update_unref(struct status_update *update)
{
    if (--update->references == 0)
        free(update);
}

struct slice status_update_task_id(const struct status_update *update)
{
    return wire_text(wire_find(update->status, FIELD_TASK_STATUS_TASK_ID));
}

Mesos__V1__TaskStatus *status_update_message(const struct status_update *update)
{
    return mesos__v1__task_status__unpack(NULL, update->status.length, update->status.data);
}
