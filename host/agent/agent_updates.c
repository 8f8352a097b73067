// SPDX-License-Identifier: Apache-2.0
//
// Updates of tasks; see the header.

#include "agent/agent_updates.h"

#include "base/log.h"

static const char *state_name(Mesos__V1__TaskState state)
{
    return protobuf_c_enum_descriptor_get_value(&mesos__v1__task_state__descriptor, (int)state)
        ->name;
}

// Of an agent that is drained, whatever the reason was. What is killed on one that is marked gone
// after that is gone already.
static void mark_drained(const struct agent_executor *executor, Mesos__V1__TaskStatus *status)
{
    bool killed = status->state == MESOS__V1__TASK_STATE__TASK_KILLED;
    if (!executor->agent->draining ||
        (!killed && status->state != MESOS__V1__TASK_STATE__TASK_KILLING))
        return;
    status->has_reason = true;
    status->reason = MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_DRAINING;
    if (killed && executor->agent->leaving && executor->partition_aware)
        status->state = MESOS__V1__TASK_STATE__TASK_GONE_BY_OPERATOR;
}

void agent_updates_add(struct agent_task *task, const Mesos__V1__TaskStatus *status)
{
    const struct agent_executor *executor = task->executor;
    const struct agent *agent = executor->agent;
    const char *id = task->id;
    if (executor->silent)
        return;
    Mesos__V1__TaskStatus marked = *status;
    mark_drained(executor, &marked);
    if (agent_terminal(marked.state))
        task->phase = TASK_TERMINATED;
    task->state = marked.state;
    log_debug("task %s of framework %s: %s%s%s", id, executor->framework_id,
              state_name(marked.state), status->message ? ": " : "",
              status->message ? status->message : "");
    agent->events->entered(agent->data, executor->framework_id, id, marked.state);
    task_updates_add(&task->updates, status_update_create(&marked));
}

// Fills in what all updates have in common.
static void complete(struct agent_task *task, Mesos__V1__TaskStatus *status,
                     Mesos__V1__TaskStatus__Source source)
{
    struct agent_executor *executor = task->executor;
    uint8_t uuid[UUID_LENGTH];
    uuid_random(uuid);
    Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
    Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
    id.value = task->id;
    executor_id.value = executor->id;
    agent_id.value = executor->agent->id;
    status->task_id = &id;
    status->agent_id = &agent_id;
    status->executor_id = &executor_id;
    status->source = source;
    status->has_source = status->has_timestamp = status->has_uuid = true;
    status->timestamp = loop_wall(executor->agent->loop);
    status->uuid = (ProtobufCBinaryData){.data = uuid, .len = sizeof uuid};
    agent_updates_add(task, status);
}

// The messages of a container's status.
struct container_messages {
    Mesos__V1__NetworkInfo__IPAddress address, *addresses[1];
    Mesos__V1__NetworkInfo network, *networks[1];
    Mesos__V1__ContainerID id, parent;
    Mesos__V1__ContainerStatus status;
};

static void fill_network(struct container_messages *messages, char *ip)
{
    mesos__v1__network_info__ipaddress__init(&messages->address);
    mesos__v1__network_info__init(&messages->network);
    messages->address.ip_address = ip;
    messages->addresses[0] = &messages->address;
    messages->network.n_ip_addresses = 1;
    messages->network.ip_addresses = messages->addresses;
    messages->networks[0] = &messages->network;
    messages->status.n_network_infos = 1;
    messages->status.network_infos = messages->networks;
}

static void fill_id(struct container_messages *messages,
                    const struct agent_updates_container *container)
{
    mesos__v1__container_id__init(&messages->id);
    mesos__v1__container_id__init(&messages->parent);
    messages->id.value = (char *)(uintptr_t)container->id;
    messages->parent.value = (char *)(uintptr_t)container->parent_id;
    messages->id.parent = container->parent_id ? &messages->parent : NULL;
    messages->status.container_id = &messages->id;
    messages->status.has_executor_pid = container->pid > 0;
    messages->status.executor_pid = (uint32_t)container->pid;
}

void agent_updates_of_executor(struct agent_task *task, Mesos__V1__TaskStatus *status,
                               const struct agent_updates_container *container)
{
    struct container_messages messages;
    mesos__v1__container_status__init(&messages.status);
    fill_network(&messages, task->executor->agent->ip);
    fill_id(&messages, container);
    status->container_status = &messages.status;
    complete(task, status, MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR);
}

void agent_updates_of_program(struct agent_task *task, Mesos__V1__TaskStatus *status,
                              const struct agent_updates_container *container)
{
    struct container_messages messages;
    mesos__v1__container_status__init(&messages.status);
    if (status->container_status != NULL)
        messages.status = *status->container_status;
    if (messages.status.n_network_infos == 0)
        fill_network(&messages, task->executor->agent->ip);
    if (messages.status.container_id == NULL)
        fill_id(&messages, container);
    status->container_status = &messages.status;
    agent_updates_add(task, status);
}

void agent_updates_of_agent_with(struct agent_task *task, Mesos__V1__TaskStatus *status)
{
    complete(task, status, MESOS__V1__TASK_STATUS__SOURCE__SOURCE_AGENT);
}

void agent_updates_of_agent(struct agent_task *task, Mesos__V1__TaskState state,
                            Mesos__V1__TaskStatus__Reason reason, const char *message)
{
    Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
    status.state = state;
    status.message = (char *)(uintptr_t)message;
    status.has_reason = true;
    status.reason = reason;
    agent_updates_of_agent_with(task, &status);
}
