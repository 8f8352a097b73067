// SPDX-License-Identifier: Apache-2.0
//
// What an executor calls; see the header.

#include "agent/custom_calls.h"

#include "agent/custom_executor_internal.h"
#include "base/log.h"

#include <string.h>

static struct custom_executor *own(const struct agent_executor *executor)
{
    return executor->own;
}

// ---- updates ----

static bool was_seen(struct custom_executor *custom, const ProtobufCBinaryData *uuid)
{
    for (size_t i = 0; i < CUSTOM_REMEMBERED && i < custom->seen_count; i++)
        if (memcmp(custom->seen[i], uuid->data, UUID_LENGTH) == 0)
            return true;
    memcpy(custom->seen[custom->seen_count++ % CUSTOM_REMEMBERED], uuid->data, UUID_LENGTH);
    return false;
}

// What an agent adds to an update of an executor.
static void complete(const struct agent_executor *executor, Mesos__V1__TaskStatus *status,
                     Mesos__V1__AgentID *agent_id)
{
    agent_id->value = executor->agent->id;
    status->agent_id = agent_id;
    status->has_source = true;
    status->source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR;
    if (!status->has_timestamp)
        status->timestamp = loop_wall(executor->agent->loop);
    status->has_timestamp = true;
}

// The task as far as the update may be taken, or NULL.
static struct agent_task *task_of(const struct agent_executor *executor,
                                  const Mesos__V1__TaskStatus *status)
{
    struct agent_task *task =
        agent_records_task(executor->agent, executor->framework_id, status->task_id->value);
    if (task == NULL || task->executor != executor || task->phase == TASK_TERMINATED ||
        (task->phase == TASK_QUEUED && !agent_terminal(status->state))) {
        log_debug("executor %s of framework %s: an update of task %s is dropped: it is not running",
                  executor->id, executor->framework_id, status->task_id->value);
        return NULL;
    }
    return task;
}

void custom_calls_update(struct agent_executor *executor, const Mesos__V1__TaskStatus *given)
{
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
    Mesos__V1__TaskStatus status = *given;
    if (executor->silent ||
        (given->agent_id != NULL && strcmp(given->agent_id->value, executor->agent->id) != 0))
        return;
    struct agent_task *task = task_of(executor, given);
    if (task != NULL && !was_seen(own(executor), &given->uuid)) {
        complete(executor, &status, &agent_id);
        agent_updates_of_program(task, &status, &own(executor)->container);
        if (task->phase == TASK_TERMINATED)
            custom_container_task_ended(own(executor));
    }
    custom_events_acknowledged(own(executor), given);
}

// ---- subscriptions ----

static bool is_known(const Mesos__V1__Executor__Call__Subscribe *subscribe, const char *id)
{
    for (size_t i = 0; i < subscribe->n_unacknowledged_tasks; i++)
        if (strcmp(subscribe->unacknowledged_tasks[i]->task_id->value, id) == 0)
            return true;
    return false;
}

// A task that was sent to the executor, and that it does not know, was lost on the way.
static void drop_unknown(struct agent_executor *executor,
                         const Mesos__V1__Executor__Call__Subscribe *subscribe)
{
    bool aware = agent_records_capable(
        executor->framework, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE);
    struct agent_task *task;
    TAILQ_FOREACH(task, &executor->tasks, link)
    if (task->phase == TASK_DELIVERED && task->state == MESOS__V1__TASK_STATE__TASK_STAGING &&
        !is_known(subscribe, task->info->task_id->value))
        agent_updates_of_agent(
            task, aware ? MESOS__V1__TASK_STATE__TASK_DROPPED : MESOS__V1__TASK_STATE__TASK_LOST,
            MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_RESTARTED,
            "Task launched during agent restart");
}

static bool has_queued(const struct agent_executor *executor)
{
    const struct agent_task *task;
    TAILQ_FOREACH(task, &executor->tasks, link)
    if (task->phase == TASK_QUEUED)
        return true;
    return false;
}

void custom_calls_subscribe(struct agent_executor *executor,
                            const Mesos__V1__Executor__Call__Subscribe *subscribe,
                            const struct agent_sink *sink, void *data)
{
    if (executor->state != EXECUTOR_REGISTERING && executor->state != EXECUTOR_RUNNING) {
        custom_events_turn_away(sink, data);
        return;
    }
    timer_stop(&own(executor)->registration);
    custom_events_connect(own(executor), sink, data);
    if (!executor->used && !has_queued(executor)) {
        agent_executor_shutdown(executor); // all its tasks were killed before it came
        return;
    }
    custom_events_subscribed(own(executor));
    for (size_t i = 0; i < subscribe->n_unacknowledged_updates; i++)
        custom_calls_update(executor, subscribe->unacknowledged_updates[i]->status);
    drop_unknown(executor, subscribe);
    agent_executor_registered(executor);
}

void custom_calls_disconnected(struct agent_executor *executor)
{
    custom_events_lost(own(executor));
    log_debug("executor %s of framework %s is disconnected", executor->id, executor->framework_id);
}
