// SPDX-License-Identifier: Apache-2.0
//
// The life of executors; see the header. The state is changed by enter() alone.

#include "agent/agent_executor.h"

#include "agent/agent_updates.h"

#define REMOVAL_GRACE_PERIOD (5 * LOOP_SECOND)

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
    timer_init(&executor->escalation, agent->loop, on_escalation, executor);
    TAILQ_INSERT_TAIL(&agent->staged, executor, staged);
    if (!agent->stopping)
        deferral_queue(&agent->start);
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

static struct agent_task *first_queued(const struct agent_executor *executor)
{
    struct agent_task *task;
    TAILQ_FOREACH(task, &executor->tasks, link)
    if (task->phase == TASK_QUEUED)
        return task;
    return NULL;
}

void agent_executor_deliver(struct agent_executor *executor)
{
    struct agent_task *task;
    while (executor->state == EXECUTOR_RUNNING && (task = first_queued(executor)) != NULL) {
        if (task->group != 0) {
            deliver_group(executor, task->group);
            continue;
        }
        task->phase = TASK_DELIVERED;
        executor->kind->launch(executor, task);
    }
}

void agent_executor_registered(struct agent_executor *executor)
{
    enter(executor, EXECUTOR_RUNNING);
    agent_executor_deliver(executor);
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
        agent_executor_ended(executor);
}

// ---- ends ----

static void remove_if_done(struct agent_executor *executor)
{
    if (executor->state == EXECUTOR_TERMINATED &&
        (executor->silent || TAILQ_EMPTY(&executor->tasks)))
        agent_records_remove_executor(executor);
}

void agent_executor_shutdown(struct agent_executor *executor)
{
    if (executor->state != EXECUTOR_REGISTERING && executor->state != EXECUTOR_RUNNING)
        return;
    enter(executor, EXECUTOR_TERMINATING);
    timer_start(&executor->escalation, REMOVAL_GRACE_PERIOD);
    executor->kind->shutdown(executor);
}

void agent_executor_ended(struct agent_executor *executor)
{
    enter(executor, EXECUTOR_TERMINATED);
    timer_stop(&executor->escalation);
    remove_if_done(executor);
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
