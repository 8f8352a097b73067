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

// Of an agent that is drained, whatever the reason was.
static void mark_drained(Mesos__V1__TaskStatus *status)
{
    if (status->state != MESOS__V1__TASK_STATE__TASK_KILLING &&
        status->state != MESOS__V1__TASK_STATE__TASK_KILLED)
        return;
    status->has_reason = true;
    status->reason = MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_DRAINING;
}

void agent_updates_add(struct agent_task *task, const Mesos__V1__TaskStatus *status)
{
    const struct agent_executor *executor = task->executor;
    const struct agent *agent = executor->agent;
    const char *id = task->info->task_id->value;
    if (executor->silent)
        return;
    if (agent_terminal(status->state))
        task->phase = TASK_TERMINATED;
    log_debug("task %s of framework %s: %s%s%s", id, executor->framework_id,
              state_name(status->state), status->message ? ": " : "",
              status->message ? status->message : "");
    agent->events->entered(agent->data, executor->framework_id, id, status->state);
    Mesos__V1__TaskStatus marked = *status;
    if (agent->draining)
        mark_drained(&marked);
    task_updates_add(&task->updates, &marked);
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
    id.value = task->info->task_id->value;
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

void agent_updates_of_executor(struct agent_task *task, Mesos__V1__TaskStatus *status,
                               const struct agent_updates_container *container)
{
    Mesos__V1__NetworkInfo__IPAddress address = MESOS__V1__NETWORK_INFO__IPADDRESS__INIT;
    Mesos__V1__NetworkInfo__IPAddress *addresses[] = {&address};
    Mesos__V1__NetworkInfo network = MESOS__V1__NETWORK_INFO__INIT;
    Mesos__V1__NetworkInfo *networks[] = {&network};
    Mesos__V1__ContainerID id = MESOS__V1__CONTAINER_ID__INIT, parent = id;
    Mesos__V1__ContainerStatus message = MESOS__V1__CONTAINER_STATUS__INIT;
    address.ip_address = task->executor->agent->ip;
    network.n_ip_addresses = message.n_network_infos = 1;
    network.ip_addresses = addresses;
    message.network_infos = networks;
    message.has_executor_pid = container->pid > 0;
    message.executor_pid = (uint32_t)container->pid;
    id.value = (char *)(uintptr_t)container->id;
    parent.value = (char *)(uintptr_t)container->parent_id;
    id.parent = container->parent_id ? &parent : NULL;
    message.container_id = &id;
    status->container_status = &message;
    complete(task, status, MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR);
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
