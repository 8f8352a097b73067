// SPDX-License-Identifier: Apache-2.0
//
// The life of executors; see the header. The state is changed by enter() alone.

#include "agent/agent_executor.h"

#include "agent/agent_updates.h"
#include "agent/task_end.h"
#include "base/memory.h"
#include "offers/resources.h"

#include <stdlib.h>

#define SHUTDOWN_GRACE_PERIOD (5 * LOOP_SECOND)

static void enter(struct agent_executor *executor, enum agent_executor_state state)
{
    struct agent *agent = executor->agent;
    if (executor->state == EXECUTOR_STAGED)
        TAILQ_REMOVE(&agent->staged, executor, staged);
    executor->state = state;
}

static void on_escalation(void *data)
{
    struct agent_executor *executor = data;
    executor->kind->destroy(executor);
}

void agent_executor_stage(struct agent_executor *executor)
{
    struct agent *agent = executor->agent;
    TAILQ_INSERT_TAIL(&agent->staged, executor, staged);
    if (!agent->stopping)
        deferral_queue(&agent->start);
}

void agent_executor_drop(struct agent_executor *executor)
{
    executor->state = EXECUTOR_TERMINATED;
}

void agent_executor_start(struct agent_executor *executor)
{
    enter(executor, EXECUTOR_REGISTERING);
    executor->kind->start(executor);
}

// ---- tasks ----

static void deliver_group(struct agent_executor *executor, uint64_t group)
{
    struct agent_task *task;
    TAILQ_FOREACH(task, &executor->tasks, link)
    if (task->group == group)
        task->phase = TASK_DELIVERED;
    executor->kind->launch_group(executor, group);
}

void agent_executor_deliver(struct agent_executor *executor, struct agent_task *task)
{
    if (executor->state != EXECUTOR_RUNNING || task->phase != TASK_QUEUED)
        return;
    executor->used = true;
    if (task->group != 0) {
        deliver_group(executor, task->group);
        return;
    }
    task->phase = TASK_DELIVERED;
    executor->kind->launch(executor, task);
}

void agent_executor_registered(struct agent_executor *executor)
{
    struct agent_task *task;
    enter(executor, EXECUTOR_RUNNING);
    TAILQ_FOREACH(task, &executor->tasks, link)
    agent_executor_deliver(executor, task);
}

static void report_killed_early(struct agent_task *task)
{
    agent_updates_of_agent(task, MESOS__V1__TASK_STATE__TASK_KILLED,
                           MESOS__V1__TASK_STATUS__REASON__REASON_TASK_KILLED_DURING_LAUNCH,
                           task->group ? "A task within the task group was killed before delivery "
                                         "to the executor"
                                       : "Killed before delivery to the executor");
}

static void kill_queued_group(struct agent_executor *executor, uint64_t group)
{
    struct agent_task *task;
    TAILQ_FOREACH(task, &executor->tasks, link)
    if (task->group == group)
        report_killed_early(task);
}

void agent_executor_kill_queued(struct agent_task *task)
{
    struct agent_executor *executor = task->executor;
    if (task->group == 0)
        report_killed_early(task);
    else
        kill_queued_group(executor, task->group);
    if (executor->kind->hidden && executor->state == EXECUTOR_STAGED)
        agent_executor_closed(executor);
}

// ---- ends ----

static void remove_if_done(struct agent_executor *executor)
{
    if (executor->state == EXECUTOR_TERMINATED &&
        (executor->silent || TAILQ_EMPTY(&executor->tasks)))
        agent_records_remove_executor(executor);
}

static uint64_t grace_period(const struct agent_executor *executor)
{
    const Mesos__V1__ExecutorInfo *info = executor->info;
    if (info == NULL || info->shutdown_grace_period == NULL)
        return SHUTDOWN_GRACE_PERIOD;
    return (uint64_t)info->shutdown_grace_period->nanoseconds;
}

void agent_executor_shutdown(struct agent_executor *executor)
{
    if (executor->state != EXECUTOR_REGISTERING && executor->state != EXECUTOR_RUNNING)
        return;
    enter(executor, EXECUTOR_TERMINATING);
    if (executor->escalation == NULL) {
        executor->escalation = memory_new(sizeof *executor->escalation);
        timer_init(executor->escalation, executor->agent->loop, on_escalation, executor);
    }
    timer_start(executor->escalation, grace_period(executor));
    executor->kind->shutdown(executor);
}

void agent_executor_destroy(struct agent_executor *executor)
{
    enter(executor, EXECUTOR_TERMINATING);
    executor->kind->destroy(executor);
}

void agent_executor_closed(struct agent_executor *executor)
{
    enter(executor, EXECUTOR_TERMINATED);
    if (executor->escalation != NULL)
        timer_stop(executor->escalation);
    remove_if_done(executor);
}

static Mesos__V1__TaskState gone_state(const struct agent_executor *executor)
{
    return agent_records_capable(executor->framework,
                                 MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE)
               ? MESOS__V1__TASK_STATE__TASK_GONE
               : MESOS__V1__TASK_STATE__TASK_LOST;
}

static void report_lost(struct agent_task *task, const struct agent_executor_end *how)
{
    Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
    status.state = how->gone ? gone_state(task->executor) : MESOS__V1__TASK_STATE__TASK_FAILED;
    status.has_reason = true;
    status.reason = how->reason;
    status.message = (char *)(uintptr_t)how->message;
    status.limitation = how->limitation;
    agent_updates_of_agent_with(task, &status);
}

void agent_executor_ended(struct agent_executor *executor, const struct agent_executor_end *how)
{
    const struct agent *agent = executor->agent;
    struct agent_task *task;
    enter(executor, EXECUTOR_TERMINATED);
    if (!executor->silent)
        agent->events->executor_ended(agent->data, executor->framework_id, executor->id,
                                      how->status);
    TAILQ_FOREACH(task, &executor->tasks, link)
    if (task->phase != TASK_TERMINATED)
        report_lost(task, how);
    agent_executor_closed(executor);
}

void agent_executor_exceeded(struct agent_executor *executor, const struct runner_end *how,
                             uint64_t limit)
{
    struct task_end_limitation limitation;
    char *text = task_end_memory_message(how->memory, limit);
    task_end_limitation(&limitation, how->memory);
    const struct agent_executor_end end = {
        .status = agent_executor_wait_status(how),
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_CONTAINER_LIMITATION_MEMORY,
        .message = text,
        .limitation = &limitation.message};
    agent_executor_ended(executor, &end);
    free(text);
}

int agent_executor_wait_status(const struct runner_end *how)
{
    return how->signal != 0 ? how->signal : (int)(how->status & 0xff) << 8;
}

void agent_executor_task_done(struct agent_task *task)
{
    struct agent_executor *executor = task->executor;
    agent_records_remove_task(task);
    remove_if_done(executor);
}

void agent_executor_silence(struct agent_executor *executor)
{
    agent_records_silence(executor);
    if (executor->state == EXECUTOR_STAGED)
        enter(executor, EXECUTOR_TERMINATED);
    if (executor->state == EXECUTOR_TERMINATED)
        agent_records_remove_executor(executor);
    else
        agent_executor_shutdown(executor);
}

double agent_executor_megabytes(const struct agent_executor *executor)
{
    const struct resources own = {executor->info->resources, executor->info->n_resources};
    double megabytes = resources_scalar(&own, "mem");
    const struct agent_task *task;
    TAILQ_FOREACH(task, &executor->tasks, link)
    {
        const struct resources list = {task->info->resources, task->info->n_resources};
        if (task->phase != TASK_TERMINATED)
            megabytes += resources_scalar(&list, "mem");
    }
    return megabytes;
}
