// SPDX-License-Identifier: Apache-2.0
//
// Updates as bytes; see the header. A message that has anything beyond what is written here, an
// unknown field included, is left to protobuf-c as a whole.

#include "master/status_encoding.h"

#include "wire/field_numbers.h"
#include "wire/wire.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

typedef Mesos__V1__TaskStatus Status;
typedef Mesos__V1__ContainerStatus Container;
typedef Mesos__V1__NetworkInfo Network;

static void pack(struct buffer *out, const ProtobufCMessage *message)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    protobuf_c_message_pack(message, buffer_reserve(out, length));
    out->length += length;
}

static bool is_bare(const ProtobufCMessage *message)
{
    return message->n_unknown_fields == 0;
}

// ---- containers ----

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

void status_encoding_put_container(struct buffer *out, const Container *container)
{
    if (!is_common_container(container)) {
        pack(out, &container->base);
        return;
    }
    size_t network = wire_begin(out, FIELD_CONTAINER_STATUS_NETWORK_INFOS);
    size_t address = wire_begin(out, FIELD_NETWORK_INFO_IP_ADDRESSES);
    wire_put_bytes(out, FIELD_NETWORK_INFO_IP_ADDRESS_IP_ADDRESS,
                   slice_text(container->network_infos[0]->ip_addresses[0]->ip_address));
    wire_end(out, address);
    wire_end(out, network);
    if (container->has_executor_pid)
        wire_put_varint(out, FIELD_CONTAINER_STATUS_EXECUTOR_PID, container->executor_pid);
    wire_put_id(out, FIELD_CONTAINER_STATUS_CONTAINER_ID,
                slice_text(container->container_id->value));
}

// ---- statuses ----

static bool is_common(const Status *status)
{
    return is_bare(&status->base) && status->labels == NULL && status->unreachable_time == NULL &&
           status->check_status == NULL && status->limitation == NULL &&
           is_bare(&status->task_id->base) && status->task_id->value != NULL &&
           (status->agent_id == NULL ||
            (is_bare(&status->agent_id->base) && status->agent_id->value != NULL)) &&
           (status->executor_id == NULL ||
            (is_bare(&status->executor_id->base) && status->executor_id->value != NULL));
}

static void put_slice(struct buffer *out, uint32_t number, const ProtobufCBinaryData *bytes)
{
    wire_put_bytes(out, number, (struct slice){.data = bytes->data, .length = bytes->len});
}

// An enum's value is an int32: a negative one has ten bytes.
static void put_enum(struct buffer *out, uint32_t number, int value)
{
    wire_put_varint(out, number, (uint64_t)(int64_t)value);
}

// Up to the uuid, in the order of their numbers.
static void put_fields(struct buffer *out, const Status *status)
{
    wire_put_id(out, FIELD_TASK_STATUS_TASK_ID, slice_text(status->task_id->value));
    put_enum(out, FIELD_TASK_STATUS_STATE, (int)status->state);
    if (status->has_data)
        put_slice(out, FIELD_TASK_STATUS_DATA, &status->data);
    if (status->message != NULL)
        wire_put_bytes(out, FIELD_TASK_STATUS_MESSAGE, slice_text(status->message));
    if (status->agent_id != NULL)
        wire_put_id(out, FIELD_TASK_STATUS_AGENT_ID, slice_text(status->agent_id->value));
    if (status->has_timestamp)
        wire_put_double(out, FIELD_TASK_STATUS_TIMESTAMP, status->timestamp);
    if (status->executor_id != NULL)
        wire_put_id(out, FIELD_TASK_STATUS_EXECUTOR_ID, slice_text(status->executor_id->value));
    if (status->has_healthy)
        wire_put_varint(out, FIELD_TASK_STATUS_HEALTHY, status->healthy != 0);
    if (status->has_source)
        put_enum(out, FIELD_TASK_STATUS_SOURCE, (int)status->source);
    if (status->has_reason)
        put_enum(out, FIELD_TASK_STATUS_REASON, (int)status->reason);
    if (status->has_uuid)
        put_slice(out, FIELD_TASK_STATUS_UUID, &status->uuid);
}

void status_encoding_put(struct buffer *out, const Status *status)
{
    if (!is_common(status)) {
        pack(out, &status->base);
        return;
    }
    put_fields(out, status);
    if (status->container_status == NULL)
        return;
    size_t mark = wire_begin(out, FIELD_TASK_STATUS_CONTAINER_STATUS);
    status_encoding_put_container(out, status->container_status);
    wire_end(out, mark);
}

void status_encoding_put_event(struct buffer *out, const Status *status)
{
    wire_put_varint(out, FIELD_SCHEDULER_EVENT_TYPE, MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE);
    size_t update = wire_begin(out, FIELD_SCHEDULER_EVENT_UPDATE);
    size_t mark = wire_begin(out, FIELD_SCHEDULER_EVENT_UPDATE_STATUS);
    status_encoding_put(out, status);
    wire_end(out, mark);
    wire_end(out, update);
}
