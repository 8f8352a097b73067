// SPDX-License-Identifier: Apache-2.0
//
// The agent: it takes the master's messages, and starts executors, a batch in a turn of the loop,
// since a call may launch thousands. agent_records.h says what it consists of.

#include "agent/agent.h"

#include "agent/agent_executor.h"
#include "agent/agent_records.h"
#include "agent/agent_updates.h"
#include "agent/command_executor.h"
#include "agent/custom_executor.h"
#include "agent/default_executor.h"
#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { STARTS_PER_TURN = 32 }; // of the loop, so other work is not delayed

// ---- launching ----

static void on_start(void *data)
{
    struct agent *agent = data;
    struct agent_executor *first;
    for (int i = 0; i < STARTS_PER_TURN && (first = TAILQ_FIRST(&agent->staged)) != NULL; i++)
        agent_executor_start(first);
    if (!TAILQ_EMPTY(&agent->staged))
        deferral_queue(&agent->start);
}

static const struct agent_executor_kind *kind_of(const struct agent_launch *launch)
{
    if (launch->executor == NULL)
        return &command_executor_kind;
    return launch->executor->type == MESOS__V1__EXECUTOR_INFO__TYPE__DEFAULT
               ? &default_executor_kind
               : &custom_executor_kind;
}

// Adds the tasks of the launch. Returns the first.
static struct agent_task *add_tasks(struct agent_executor *executor,
                                    const struct agent_launch *launch)
{
    uint64_t group = launch->group ? ++executor->agent->groups : 0;
    struct agent_task *first = NULL;
    for (size_t i = 0; i < launch->count; i++) {
        struct agent_task *task = agent_records_add_task(executor, launch->tasks[i], group);
        first = first ? first : task;
    }
    return first;
}

// Why the executor cannot take the tasks, or NULL. The master may not know yet that it has ended.
static const char *refusal(const struct agent *agent, const struct agent_executor *executor,
                           const struct agent_launch *launch)
{
    if (agent->draining)
        return "Task was received while agent was already draining";
    if (executor == NULL)
        return launch->new_executor ? NULL
                                    : "No executor is expected to launch and there is none running";
    if (launch->executor == NULL)
        return "Cannot reuse an already existing executor for a command task";
    if (launch->new_executor)
        return "Master wants to launch executor, but one already exists";
    if (executor->state == EXECUTOR_TERMINATING)
        return "Executor terminating";
    return executor->state == EXECUTOR_TERMINATED ? "Executor terminated" : NULL;
}

static Mesos__V1__TaskStatus__Reason reason_of(const struct agent *agent,
                                               const struct agent_launch *launch)
{
    if (agent->draining)
        return MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_DRAINING;
    return launch->executor ? MESOS__V1__TASK_STATUS__REASON__REASON_EXECUTOR_TERMINATED
                            : MESOS__V1__TASK_STATUS__REASON__REASON_TASK_INVALID;
}

static void drop_tasks(struct agent *agent, const struct agent_launch *launch, const char *message)
{
    struct agent_executor *executor = agent_records_add_executor(agent, NULL, launch);
    bool aware = agent_records_capable(
        launch->framework, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE);
    struct agent_task *task;
    add_tasks(executor, launch);
    agent_executor_drop(executor);
    TAILQ_FOREACH(task, &executor->tasks, link)
    agent_updates_of_agent(
        task, aware ? MESOS__V1__TASK_STATE__TASK_DROPPED : MESOS__V1__TASK_STATE__TASK_LOST,
        reason_of(agent, launch), message);
}

// Of one that runs already, and the master does not know of, it hears when it has ended; of one
// that is not started, at once.
static void refuse(struct agent *agent, struct agent_executor *executor,
                   const struct agent_launch *launch, const char *message)
{
    drop_tasks(agent, launch, message);
    if (launch->executor == NULL || !launch->new_executor)
        return;
    if (executor == NULL)
        agent->events->executor_ended(agent->data, launch->framework->id->value,
                                      launch->executor->executor_id->value, -1);
    else if (executor->state == EXECUTOR_TERMINATED)
        agent->events->executor_ended(agent->data, executor->framework_id, executor->id, -1);
    else
        agent_executor_shutdown(executor);
}

void agent_launch(struct agent *agent, const struct agent_launch *launch)
{
    struct agent_executor *executor = agent_records_executor(agent, launch->framework->id->value,
                                                             agent_records_executor_id(launch));
    const char *message = refusal(agent, executor, launch);
    if (message != NULL) {
        refuse(agent, executor, launch, message);
        return;
    }
    if (executor == NULL) {
        executor = agent_records_add_executor(agent, kind_of(launch), launch);
        add_tasks(executor, launch);
        agent_executor_stage(executor);
        return;
    }
    agent_executor_deliver(executor, add_tasks(executor, launch));
}

// ---- executors ----

void agent_shutdown_executor(struct agent *agent, const char *framework_id, const char *executor_id)
{
    struct agent_executor *executor = agent_records_executor(agent, framework_id, executor_id);
    if (executor == NULL)
        return;
    if (executor->state == EXECUTOR_STAGED) {
        agent_executor_start(executor); // which may fail, and remove it
        executor = agent_records_executor(agent, framework_id, executor_id);
    }
    if (executor != NULL)
        agent_executor_shutdown(executor);
}

static bool is_alive(const struct agent_executor *executor)
{
    return executor != NULL && !executor->kind->hidden && !executor->silent &&
           executor->state != EXECUTOR_TERMINATED;
}

void agent_destroy_executor(struct agent *agent, const char *framework_id, const char *executor_id)
{
    struct agent_executor *executor = agent_records_executor(agent, framework_id, executor_id);
    if (!is_alive(executor))
        return;
    if (executor->state == EXECUTOR_STAGED) {
        agent_executor_start(executor);
        executor = agent_records_executor(agent, framework_id, executor_id);
    }
    if (is_alive(executor))
        agent_executor_destroy(executor);
}

bool agent_has_executor(const struct agent *agent, const char *framework_id,
                        const char *executor_id)
{
    return is_alive(agent_records_executor(agent, framework_id, executor_id));
}

void agent_each_executor(const struct agent *agent,
                         void (*each)(void *data, const char *framework_id,
                                      const Mesos__V1__ExecutorInfo *info),
                         void *data)
{
    const struct agent_executor *executor;
    TAILQ_FOREACH(executor, &agent->executors, link)
    if (is_alive(executor))
        each(data, executor->framework_id, executor->info);
}

void agent_message(struct agent *agent, const char *framework_id, const char *executor_id,
                   const ProtobufCBinaryData *bytes)
{
    struct agent_executor *executor = agent_records_executor(agent, framework_id, executor_id);
    if (executor != NULL && executor->state == EXECUTOR_RUNNING && executor->kind->message != NULL)
        executor->kind->message(executor, bytes);
    else
        log_debug("a message for executor %s of framework %s is lost: it is not running",
                  executor_id, framework_id);
}

// ---- killing ----

void agent_kill(struct agent *agent, const char *framework_id, const char *id,
                const Mesos__V1__KillPolicy *policy)
{
    struct agent_task *task = agent_records_task(agent, framework_id, id);
    if (task == NULL)
        return;
    if (task->phase == TASK_QUEUED)
        agent_executor_kill_queued(task);
    else if (task->phase == TASK_DELIVERED && task->executor->state != EXECUTOR_TERMINATING)
        task->executor->kind->kill(task, policy);
}

// ---- acknowledgements ----

bool agent_acknowledge(struct agent *agent, const char *framework_id, const char *id,
                       const ProtobufCBinaryData *uuid, Mesos__V1__TaskState *state)
{
    struct agent_task *task = agent_records_task(agent, framework_id, id);
    if (task == NULL || !task_updates_acknowledge(&task->updates, uuid, state))
        return false;
    if (agent_terminal(*state))
        agent_executor_task_done(task);
    else
        task_updates_resend(&task->updates);
    return true;
}

static bool is_of(const struct agent_executor *executor, const char *framework_id)
{
    return !executor->silent && strcmp(executor->framework_id, framework_id) == 0;
}

void agent_resend(struct agent *agent, const char *framework_id)
{
    struct agent_executor *executor;
    struct agent_task *task;
    TAILQ_FOREACH(executor, &agent->executors, link)
    {
        if (!is_of(executor, framework_id))
            continue;
        TAILQ_FOREACH(task, &executor->tasks, link)
        task_updates_resend(&task->updates);
    }
}

// ---- ends ----

void agent_remove_framework(struct agent *agent, const char *framework_id)
{
    agent_operations_remove_framework(agent->operations, framework_id);
    for (struct agent_executor *executor = TAILQ_FIRST(&agent->executors), *next; executor != NULL;
         executor = next) {
        next = TAILQ_NEXT(executor, link);
        if (is_of(executor, framework_id))
            agent_executor_silence(executor);
    }
}

static void on_idle(void *data)
{
    struct agent *agent = data;
    void (*stopped)(void *data) = agent->stopped;
    if (!agent->stopping)
        return;
    timer_stop(&agent->stop_escalation);
    agent->stopped = NULL;
    if (stopped != NULL)
        stopped(agent->stopped_data);
}

static bool has_process(const struct agent_executor *executor)
{
    return executor->state != EXECUTOR_STAGED && executor->state != EXECUTOR_TERMINATED;
}

static void on_stop_escalation(void *data)
{
    struct agent *agent = data;
    struct agent_executor *executor;
    TAILQ_FOREACH(executor, &agent->executors, link)
    if (has_process(executor))
        executor->kind->destroy(executor);
}

void agent_stop(struct agent *agent, uint64_t grace, void (*done)(void *data), void *data)
{
    agent->stopping = true;
    agent->stopped = done;
    agent->stopped_data = data;
    deferral_cancel(&agent->start);
    for (struct agent_executor *executor = TAILQ_FIRST(&agent->executors), *next; executor != NULL;
         executor = next) {
        next = TAILQ_NEXT(executor, link);
        agent_executor_shutdown(executor);
    }
    timer_start(&agent->stop_escalation, grace);
    if (agent->runs.count == 0)
        on_idle(agent);
}

struct agent_operations *agent_operations(const struct agent *agent)
{
    return agent->operations;
}

static struct bytes *pack_info(const Mesos__V1__AgentInfo *info)
{
    struct bytes *bytes = bytes_create(mesos__v1__agent_info__get_packed_size(info));
    mesos__v1__agent_info__pack(info, bytes->data);
    return bytes;
}

struct agent *agent_create(struct loop *loop, const struct agent_options *options,
                           const struct agent_events *events, void *data)
{
    struct agent *agent = memory_new(sizeof *agent);
    agent->loop = loop;
    agent->info = pack_info(options->info);
    agent->id = memory_string(options->info->id->value);
    agent->port = (unsigned)options->info->port;
    agent->number = options->number;
    agent->secret = options->secret;
    agent->ip = memory_string(options->ip);
    agent->work_dir = memory_string(options->work_dir);
    agent->path = memory_string(options->path);
    agent->switch_users = options->switch_users;
    agent->registration_timeout = options->registration_timeout;
    agent->runs = (struct sandbox_runs){.runner = options->runner, .idle = on_idle, .data = agent};
    agent->events = events;
    agent->data = data;
    const struct agent_operations_options operations = {
        .agent_id = agent->id, .work_dir = agent->work_dir, .runner = options->runner};
    agent->operations = agent_operations_create(loop, &operations, events->operation_update, data);
    timer_init(&agent->stop_escalation, loop, on_stop_escalation, agent);
    deferral_init(&agent->start, loop, on_start, agent);
    TAILQ_INIT(&agent->executors);
    TAILQ_INIT(&agent->staged);
    return agent;
}

void agent_destroy(struct agent *agent)
{
    if (agent == NULL)
        return;
    while (!TAILQ_EMPTY(&agent->executors))
        agent_records_remove_executor(TAILQ_FIRST(&agent->executors));
    timer_stop(&agent->stop_escalation);
    deferral_cancel(&agent->start);
    agent_operations_destroy(agent->operations);
    string_map_free(&agent->executor_table);
    string_map_free(&agent->task_table);
    string_map_free(&agent->framework_ids);
    bytes_unref(agent->info);
    free(agent->id);
    free(agent->ip);
    free(agent->work_dir);
    free(agent->path);
    free(agent);
}
