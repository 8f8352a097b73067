// SPDX-License-Identifier: Apache-2.0
//
// Executors that are programs of frameworks: their processes, and what the agent does with them;
// see the header.

#include "agent/custom_executor.h"

#include "agent/custom_environment.h"
#include "agent/custom_executor_internal.h"
#include "agent/executor_volumes.h"
#include "base/duration.h"
#include "base/log.h"
#include "base/memory.h"

#include <signal.h>
#include <stdlib.h>

static struct custom_executor *own(const struct agent_executor *executor)
{
    return executor->own;
}

const char *custom_executor_token(const struct agent_executor *executor)
{
    const struct custom_executor *custom = own(executor);
    return custom != NULL && custom->token[0] != '\0' ? custom->token : NULL;
}

// ---- its process ----

static struct task_words on_environment(void *data)
{
    const struct custom_executor *custom = data;
    return custom_environment(custom->executor, custom_executor_token(custom->executor));
}

static void on_started(void *data, int64_t pid)
{
    struct custom_executor *custom = data;
    custom->container.pid = pid;
    timer_start(&custom->registration, custom->executor->agent->registration_timeout);
}

static void on_registration_timeout(void *data)
{
    struct custom_executor *custom = data;
    char *time = duration_text((int64_t)custom->executor->agent->registration_timeout);
    custom->late = memory_format("Executor did not register within %s", time);
    log_info("executor %s of framework %s did not register within %s", custom->executor->id,
             custom->executor->framework_id, time);
    free(time);
    agent_executor_destroy(custom->executor);
}

static void stop(struct custom_executor *custom)
{
    timer_stop(&custom->registration);
    custom_events_disconnect(custom);
}

static void on_failed(void *data, const char *reason)
{
    struct custom_executor *custom = data;
    char *text = memory_format("Failed to launch container: %s", reason);
    const struct agent_executor_end end = {
        .status = -1,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_CONTAINER_LAUNCH_FAILED,
        .message = text};
    stop(custom);
    agent_executor_ended(custom->executor, &end);
    free(text);
}

static void end(struct custom_executor *custom, int status)
{
    const struct agent_executor_end end = {
        .status = status,
        .reason = custom->late
                      ? MESOS__V1__TASK_STATUS__REASON__REASON_EXECUTOR_REGISTRATION_TIMEOUT
                      : MESOS__V1__TASK_STATUS__REASON__REASON_EXECUTOR_TERMINATED,
        .message = custom->late ? custom->late : "Executor terminated"};
    stop(custom);
    agent_executor_ended(custom->executor, &end);
}

// Its tasks were started, and are gone with it.
static void end_by_fault(struct custom_executor *custom, int status)
{
    const struct agent_executor_end end = {
        .status = status,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_CONTAINER_UPDATE_FAILED,
        .message = custom->fault,
        .gone = true};
    stop(custom);
    agent_executor_ended(custom->executor, &end);
}

static void on_killed(void *data)
{
    end(data, SIGKILL);
}

static void on_exited(void *data, const struct runner_end *how)
{
    struct custom_executor *custom = data;
    if (custom->fault != NULL) {
        end_by_fault(custom, agent_executor_wait_status(how));
        return;
    }
    if (how->memory == 0) {
        end(custom, agent_executor_wait_status(how));
        return;
    }
    stop(custom);
    agent_executor_exceeded(custom->executor, how, custom->run.memory_limit);
}

// ---- tasks ----

static void launch(struct agent_executor *executor, struct agent_task *task)
{
    if (!custom_container_add_volumes(own(executor), task))
        return;
    custom_container_adapt_memory(own(executor));
    custom_events_launch(own(executor), task);
}

static void launch_group(struct agent_executor *executor, uint64_t group)
{
    if (!custom_container_add_volumes_of_group(own(executor), group))
        return;
    custom_container_adapt_memory(own(executor));
    custom_events_launch_group(own(executor), group);
}

static void kill_task(struct agent_task *task, const Mesos__V1__KillPolicy *policy)
{
    custom_events_kill(own(task->executor), task, policy);
}

static void message(struct agent_executor *executor, const ProtobufCBinaryData *bytes)
{
    custom_events_message(own(executor), bytes);
}

// ---- the kind ----

static bool prepare(struct custom_executor *custom, struct error *err)
{
    if (custom->executor->agent->secret && !http_access_make_token(custom->token, err))
        return false;
    bool good = executor_volumes_prepare(&custom->volumes, custom->executor, err);
    custom->run.links = custom->volumes.links;
    custom->run.link_count = custom->volumes.count;
    return good;
}

static void start(struct agent_executor *executor)
{
    static const struct sandbox_run_events events = {.environment = on_environment,
                                                     .started = on_started,
                                                     .failed = on_failed,
                                                     .killed = on_killed,
                                                     .exited = on_exited};
    struct agent *agent = executor->agent;
    struct custom_executor *custom = memory_new(sizeof *custom);
    struct error err = {0};
    executor->own = custom;
    custom->executor = executor;
    custom->container.id = executor->container_id;
    custom->sandbox = agent_records_sandbox(executor);
    custom->latest = agent_records_latest(executor);
    custom->aliases[0] = (struct runner_alias){custom->latest, executor->container_id};
    custom->run = (struct sandbox_run){.all = &agent->runs,
                                       .command = executor->info->command,
                                       .directory = custom->sandbox,
                                       .aliases = custom->aliases,
                                       .user = executor->user,
                                       .memory_limit = custom_container_memory(executor),
                                       .events = &events,
                                       .data = custom};
    timer_init(&custom->registration, agent->loop, on_registration_timeout, custom);
    custom_events_init(custom);
    if (prepare(custom, &err))
        sandbox_run_start(&custom->run);
    else
        on_failed(custom, err.text);
}

// One that cannot be told when the agent ends is asked by a signal.
static void shutdown(struct agent_executor *executor)
{
    custom_events_shutdown(own(executor));
    if (executor->agent->stopping && own(executor)->sink == NULL)
        sandbox_run_kill(&own(executor)->run, SIGTERM);
}

static void destroy(struct agent_executor *executor)
{
    sandbox_run_kill(&own(executor)->run, SIGKILL);
}

static void free_own(struct agent_executor *executor)
{
    struct custom_executor *custom = own(executor);
    if (custom == NULL)
        return;
    stop(custom);
    task_volumes_free(&custom->volumes);
    free(custom->fault);
    free(custom->late);
    free(custom->sandbox);
    free(custom->latest);
    free(custom);
}

const struct agent_executor_kind custom_executor_kind = {.start = start,
                                                         .launch = launch,
                                                         .launch_group = launch_group,
                                                         .kill = kill_task,
                                                         .message = message,
                                                         .shutdown = shutdown,
                                                         .destroy = destroy,
                                                         .free = free_own};
