// SPDX-License-Identifier: Apache-2.0
//
// Command tasks; see the header. The executor is as long in REGISTERING as its task has no process.
// Most tasks of a cluster are such ones: when one runs, what its start needed is freed.

#include "agent/command_executor.h"

#include "agent/agent_executor.h"
#include "agent/agent_updates.h"
#include "agent/task_process.h"
#include "base/memory.h"
#include "offers/resources.h"

#include <stdlib.h>
#include <string.h>

#define EXECUTOR_MEMORY (UINT64_C(32) << 20) // bytes
#define REMOVAL_GRACE_PERIOD (5 * LOOP_SECOND)

// What the start needs, if there is something to be started. NULL instead of it: it has started.
struct command_executor {
    struct runner_alias aliases[2]; // the last is empty
    char *latest;
};

static struct agent_task *task_of(const struct agent_executor *executor)
{
    return TAILQ_FIRST(&executor->tasks);
}

// ---- what its process reports ----

static struct task_words on_environment(struct task_process *process)
{
    const struct agent_executor *executor = process->task->executor;
    const struct agent *agent = executor->agent;
    const struct task_place place = {.path = agent->path,
                                     .sandbox = process->directory,
                                     .task_id = executor->id,
                                     .framework_id = executor->framework_id,
                                     .agent_id = agent->id,
                                     .container_id = executor->container_id,
                                     .ip = agent->ip};
    struct task_words environment = task_command_environment(&place);
    task_command_add(&environment, process->task->info->command->environment);
    return environment;
}

static void free_own(struct agent_executor *executor)
{
    struct command_executor *command = executor->own;
    if (command == NULL)
        return;
    free(command->latest);
    free(command);
    executor->own = NULL;
}

static void on_started(struct task_process *process)
{
    agent_executor_registered(process->task->executor);
    task_process_report(process, MESOS__V1__TASK_STATE__TASK_STARTING, NULL);
    task_process_announce(process);
    if (!task_process_rest(process))
        return;
    free_own(process->task->executor);
    agent_records_rest(process->task);
}

static void on_killed(struct task_process *process)
{
    agent_updates_of_agent(process->task, MESOS__V1__TASK_STATE__TASK_KILLED,
                           MESOS__V1__TASK_STATUS__REASON__REASON_TASK_KILLED_DURING_LAUNCH,
                           "Killed before delivery to the executor");
    agent_executor_closed(process->task->executor);
}

static void on_failed(struct task_process *process, const char *reason)
{
    char *message = memory_format("Failed to launch container: %s", reason);
    agent_updates_of_agent(process->task, MESOS__V1__TASK_STATE__TASK_FAILED,
                           MESOS__V1__TASK_STATUS__REASON__REASON_CONTAINER_LAUNCH_FAILED, message);
    free(message);
    agent_executor_closed(process->task->executor);
}

static void on_exited(struct task_process *process, const struct runner_end *how)
{
    task_process_report_end(process, how);
    agent_executor_closed(process->task->executor);
}

// ---- the kind ----

// What the task asked for and, as on a real agent, what its executor gets, in bytes.
static uint64_t memory_of(const Mesos__V1__TaskInfo *info)
{
    const struct resources list = {info->resources, info->n_resources};
    return (uint64_t)(resources_scalar(&list, "mem") * 1024 * 1024) + EXECUTOR_MEMORY;
}

// The alias `latest` of the sandbox.
static const struct runner_alias *make_aliases(struct agent_executor *executor)
{
    if (executor->agent->runs.runner->idle)
        return NULL;
    struct command_executor *command = executor->own = memory_new(sizeof *command);
    command->latest = agent_records_latest(executor);
    command->aliases[0] = (struct runner_alias){command->latest, executor->container_id};
    return command->aliases;
}

static void start(struct agent_executor *executor)
{
    static const struct task_process_events events = {.environment = on_environment,
                                                      .started = on_started,
                                                      .failed = on_failed,
                                                      .killed = on_killed,
                                                      .exited = on_exited};
    struct agent_task *task = task_of(executor);
    const struct task_process_options options = {.directory = agent_records_sandbox(executor),
                                                 .aliases = make_aliases(executor),
                                                 .user = executor->user,
                                                 .container_id = executor->container_id,
                                                 .memory_limit = memory_of(task->info)};
    struct task_process *process = task_process_create(task, &options, &events, NULL);
    task->own = process;
    task->phase = TASK_DELIVERED;
    task_process_start(process);
}

static void kill_task(struct agent_task *task, const Mesos__V1__KillPolicy *policy)
{
    task_process_kill(task->own, policy);
}

// The agent ends, or the framework was removed.
static void shutdown(struct agent_executor *executor)
{
    task_process_terminate(task_of(executor)->own, REMOVAL_GRACE_PERIOD);
}

static void destroy(struct agent_executor *executor)
{
    task_process_destroy_now(task_of(executor)->own);
}

static void free_task(struct agent_task *task)
{
    task_process_destroy(task->own);
}

const struct agent_executor_kind command_executor_kind = {.hidden = true,
                                                          .start = start,
                                                          .kill = kill_task,
                                                          .shutdown = shutdown,
                                                          .destroy = destroy,
                                                          .free_task = free_task,
                                                          .free = free_own};
