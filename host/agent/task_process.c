// SPDX-License-Identifier: Apache-2.0
//
// Processes of tasks; see the header. The command executor and the default executor of Mesos differ
// in small things: a nested process is of the latter.

#include "agent/task_process.h"

#include "agent/container_command.h"
#include "agent/task_checks.h"
#include "base/memory.h"

#include <signal.h>
#include <stdlib.h>

bool task_process_is_killed(const struct task_process *process)
{
    return process->cause != TASK_END_OWN;
}

static bool runs(const struct task_process *process)
{
    return process->run.phase == SANDBOX_RUNNING;
}

static bool is_nested(const struct task_process *process)
{
    return process->container.parent_id != NULL;
}

// A task that timed out has failed, also if it was to be killed as well.
static void mark_killed(struct task_process *process)
{
    if (!task_process_is_killed(process))
        process->cause = TASK_END_KILLED;
}

// ---- reports ----

// `check` is the reason of an update that a check makes, or NULL.
static void report_check(struct task_process *process, Mesos__V1__TaskState state,
                         const char *message, const Mesos__V1__TaskStatus__Reason *check)
{
    Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
    status.state = state;
    status.message = (char *)(uintptr_t)message;
    status.has_reason = task_end_reason(process->cause, &status.reason);
    if (check != NULL) {
        status.has_reason = true;
        status.reason = *check;
    }
    task_checks_fill(process->checks, check != NULL, &status);
    if (agent_terminal(state) && process->unhealthy != NULL && *process->unhealthy)
        status.has_healthy = true;
    agent_updates_of_executor(process->task, &status, &process->container);
}

void task_process_report(struct task_process *process, Mesos__V1__TaskState state,
                         const char *message)
{
    report_check(process, state, message, NULL);
}

// As the agent itself reports it, since the container is gone, with its executor.
static void report_memory(struct task_process *process, uint64_t used)
{
    Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
    struct task_end_limitation limitation;
    task_end_limitation(&limitation, used);
    status.state = MESOS__V1__TASK_STATE__TASK_FAILED;
    status.message = task_end_memory_message(used, process->run.memory_limit);
    status.has_reason = task_end_reason(process->cause, &status.reason);
    status.limitation = &limitation.message;
    agent_updates_of_agent_with(process->task, &status);
    free(status.message);
}

void task_process_report_end(struct task_process *process, const struct runner_end *how)
{
    if (how->memory > 0 && !task_process_is_killed(process)) {
        process->cause = TASK_END_MEMORY;
        report_memory(process, how->memory);
        return;
    }
    char *message = task_end_message(how);
    task_process_report(process, task_end_state(how, process->cause), message);
    free(message);
}

// ---- killing ----

static void on_escalation(void *data);
static void on_completion_timeout(void *data);

static struct task_process_timers *timers_of(struct task_process *process)
{
    struct loop *loop = process->task->executor->agent->loop;
    if (process->timers != NULL)
        return process->timers;
    process->timers = memory_new(sizeof *process->timers);
    timer_init(&process->timers->escalation, loop, on_escalation, process);
    timer_init(&process->timers->completion, loop, on_completion_timeout, process);
    return process->timers;
}

static void stop_timers(struct task_process *process)
{
    if (process->timers == NULL)
        return;
    timer_stop(&process->timers->escalation);
    timer_stop(&process->timers->completion);
}

static uint64_t grace_period(const Mesos__V1__KillPolicy *policy, const struct agent_task *task)
{
    if (policy == NULL || policy->grace_period == NULL)
        return task->grace;
    int64_t period = policy->grace_period->nanoseconds;
    return period > 0 ? (uint64_t)period : 0;
}

void task_process_terminate(struct task_process *process, uint64_t grace)
{
    struct timer *escalation = &timers_of(process)->escalation;
    uint64_t due = loop_now(escalation->loop) + grace;
    bool again = task_process_is_killed(process);
    task_checks_stop(process->checks);
    if (!again)
        sandbox_run_kill(&process->run, SIGTERM);
    if (!again || (timer_active(escalation) && due < escalation->due))
        timer_start(escalation, grace);
    mark_killed(process);
}

static void report_killing(struct task_process *process)
{
    if (process->task->executor->killing_state)
        task_process_report(process, MESOS__V1__TASK_STATE__TASK_KILLING, NULL);
}

void task_process_kill(struct task_process *process, const Mesos__V1__KillPolicy *policy)
{
    bool again = task_process_is_killed(process);
    if (!runs(process)) {
        mark_killed(process);
        sandbox_run_kill(&process->run, SIGKILL);
        return;
    }
    if (again && is_nested(process))
        return;
    if (is_nested(process))
        timer_stop(&timers_of(process)->completion);
    task_process_terminate(process, grace_period(policy, process->task));
    if (!again)
        report_killing(process);
}

void task_process_destroy_now(struct task_process *process)
{
    task_checks_stop(process->checks);
    mark_killed(process);
    sandbox_run_kill(&process->run, SIGKILL);
}

static void on_escalation(void *data)
{
    struct task_process *process = data;
    sandbox_run_kill(&process->run, SIGKILL);
}

static void on_completion_timeout(void *data)
{
    struct task_process *process = data;
    bool again = task_process_is_killed(process);
    task_checks_stop(process->checks);
    process->cause = TASK_END_TIMED_OUT;
    if (!again && !is_nested(process))
        report_killing(process);
    sandbox_run_kill(&process->run, SIGKILL);
}

// ---- checks ----

// Its uris and its user mean nothing, as with a real executor: it runs where and as the task does.
static struct run *on_check_start(void *data, const Mesos__V1__CommandInfo *command,
                                  const struct runner_events *events, void *checker,
                                  struct error *err)
{
    struct task_process *process = data;
    return sandbox_run_beside(&process->run, command, events, checker, err);
}

static void on_check_changed(void *data, Mesos__V1__TaskStatus__Reason reason)
{
    report_check(data, MESOS__V1__TASK_STATE__TASK_RUNNING, NULL, &reason);
}

static void on_unhealthy(void *data)
{
    struct task_process *process = data;
    if (process->unhealthy != NULL)
        *process->unhealthy = true;
    task_process_kill(process, NULL);
}

// ---- what its run reports ----

static struct task_words on_environment(void *data)
{
    struct task_process *process = data;
    return process->events->environment(process);
}

static void on_started(void *data, int64_t pid)
{
    struct task_process *process = data;
    process->container.pid = pid;
    process->events->started(process);
}

void task_process_announce(struct task_process *process)
{
    const Mesos__V1__DurationInfo *longest = process->task->info->max_completion_time;
    if (longest != NULL && longest->nanoseconds > 0)
        timer_start(&timers_of(process)->completion, (uint64_t)longest->nanoseconds);
    task_process_report(process, MESOS__V1__TASK_STATE__TASK_RUNNING, NULL);
    task_checks_start(process->checks);
}

bool task_process_rest(struct task_process *process)
{
    struct sandbox_run *run = &process->run;
    if (process->checks != NULL || !runs(process))
        return false;
    task_volumes_free(&process->volumes);
    free(process->directory);
    process->directory = NULL;
    run->command = NULL;
    run->directory = NULL;
    run->aliases = NULL;
    run->contained = NULL;
    run->links = NULL;
    run->link_count = 0;
    return true;
}

static void stop(struct task_process *process)
{
    stop_timers(process);
    task_checks_stop(process->checks);
}

static void on_failed(void *data, const char *reason)
{
    struct task_process *process = data;
    stop(process);
    process->events->failed(process, reason);
}

static void on_killed(void *data)
{
    struct task_process *process = data;
    stop(process);
    process->events->killed(process);
}

static void on_exited(void *data, const struct runner_end *how)
{
    struct task_process *process = data;
    stop(process);
    process->events->exited(process, how);
}

// ---- life ----

// The master has refused images where they cannot be run, in groups as well.
static const Mesos__V1__TaskInfo *container_of(const struct task_process *process)
{
    const Mesos__V1__TaskInfo *info = process->task->info;
    return container_command_image(info->container) != NULL ? info : NULL;
}

struct task_process *task_process_create(struct agent_task *task,
                                         const struct task_process_options *options,
                                         const struct task_process_events *events, void *data)
{
    static const struct sandbox_run_events run_events = {.environment = on_environment,
                                                         .started = on_started,
                                                         .failed = on_failed,
                                                         .killed = on_killed,
                                                         .exited = on_exited};
    static const struct task_checks_events checks_events = {
        .start = on_check_start, .changed = on_check_changed, .unhealthy = on_unhealthy};
    struct agent *agent = task->executor->agent;
    struct task_process *process = memory_new(sizeof *process);
    process->task = task;
    process->events = events;
    process->data = data;
    process->directory = options->directory;
    process->unhealthy = options->unhealthy;
    process->user = memory_string(options->user);
    process->container.id = options->container_id;
    process->container.parent_id = options->parent_container_id;
    process->run = (struct sandbox_run){.all = &agent->runs,
                                        .command = task->info->command,
                                        .task_id = task->id,
                                        .directory = process->directory,
                                        .aliases = options->aliases,
                                        .user = process->user,
                                        .memory_limit = options->memory_limit,
                                        .contained = container_of(process),
                                        .events = &run_events,
                                        .data = process};
    process->checks =
        task_checks_create(agent->loop, agent->runs.runner, task->info, &checks_events, process);
    return process;
}

static bool prepare_volumes(struct task_process *process, struct error *err)
{
    const struct agent *agent = process->task->executor->agent;
    const Mesos__V1__TaskInfo *info = process->task->info;
    const struct task_volumes_place place = {
        .runner = agent->runs.runner, .work_dir = agent->work_dir, .agent_id = agent->id};
    bool good =
        task_volumes_prepare(&process->volumes, &place, info->resources, info->n_resources, err);
    process->run.links = process->volumes.links;
    process->run.link_count = process->volumes.count;
    return good;
}

void task_process_start(struct task_process *process)
{
    struct error err = {0};
    if (prepare_volumes(process, &err))
        sandbox_run_start(&process->run);
    else
        on_failed(process, err.text);
}

void task_process_destroy(struct task_process *process)
{
    if (process == NULL)
        return;
    stop_timers(process);
    free(process->timers);
    task_checks_destroy(process->checks);
    task_volumes_free(&process->volumes);
    free(process->directory);
    free(process->user);
    free(process);
}
