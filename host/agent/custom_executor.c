// SPDX-License-Identifier: Apache-2.0
//
// Executors that are programs of frameworks; see the header.

#include "agent/custom_executor.h"

#include "agent/agent_executor.h"
#include "agent/agent_updates.h"
#include "agent/custom_environment.h"
#include "agent/executor_volumes.h"
#include "agent/task_end.h"
#include "base/log.h"
#include "base/memory.h"
#include "net/http_access.h"
#include "wire/message_copy.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define REGISTRATION_TIMEOUT (60 * LOOP_SECOND)
#define HEARTBEAT_INTERVAL (30 * 60 * LOOP_SECOND)

#define LEAST_MEGABYTES 32.0

enum { REMEMBERED = 64 }; // uuids of updates that came last

typedef Mesos__V1__Executor__Event Event;

#define TYPE(NAME) MESOS__V1__EXECUTOR__EVENT__TYPE__##NAME

struct custom_executor {
    struct agent_executor *executor;
    struct sandbox_run run;
    struct task_volumes volumes;    // those that its sandbox has
    char *fault;                    // why it is destroyed, or NULL
    struct runner_alias aliases[2]; // the last is empty
    struct agent_updates_container container;
    char token[HTTP_ACCESS_TOKEN + 1]; // empty: it needs none
    const struct agent_sink *sink;     // NULL: it is not connected
    void *sink_data;
    struct timer registration, heartbeat;
    bool late; // it did not register in time
    uint8_t seen[REMEMBERED][UUID_LENGTH];
    size_t seen_count; // the next goes to this, modulo REMEMBERED
};

static struct custom_executor *own(const struct agent_executor *executor)
{
    return executor->own;
}

// ---- events ----

static void send(struct agent_executor *executor, Event *event,
                 Mesos__V1__Executor__Event__Type type)
{
    const struct custom_executor *custom = own(executor);
    event->has_type = true;
    event->type = type;
    if (custom->sink != NULL)
        custom->sink->event(custom->sink_data, event);
    else
        log_debug("an event for executor %s of framework %s is lost: it is not connected",
                  executor->id, executor->framework_id);
}

static void send_plain(struct agent_executor *executor, Mesos__V1__Executor__Event__Type type)
{
    Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
    send(executor, &event, type);
}

static void send_subscribed(struct agent_executor *executor)
{
    Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
    Mesos__V1__Executor__Event__Subscribed subscribed =
        MESOS__V1__EXECUTOR__EVENT__SUBSCRIBED__INIT;
    Mesos__V1__ContainerID container = MESOS__V1__CONTAINER_ID__INIT;
    container.value = executor->container_id;
    subscribed.executor_info = executor->info;
    subscribed.framework_info = executor->framework;
    subscribed.agent_info = executor->agent->info;
    subscribed.container_id = &container;
    event.subscribed = &subscribed;
    send(executor, &event, TYPE(SUBSCRIBED));
}

static void send_acknowledged(struct agent_executor *executor, const Mesos__V1__TaskStatus *status)
{
    Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
    Mesos__V1__Executor__Event__Acknowledged acknowledged =
        MESOS__V1__EXECUTOR__EVENT__ACKNOWLEDGED__INIT;
    acknowledged.task_id = status->task_id;
    acknowledged.uuid = status->uuid;
    event.acknowledged = &acknowledged;
    send(executor, &event, TYPE(ACKNOWLEDGED));
}

static void on_heartbeat(void *data)
{
    struct custom_executor *custom = data;
    timer_start(&custom->heartbeat, HEARTBEAT_INTERVAL);
    send_plain(custom->executor, TYPE(HEARTBEAT));
}

static void disconnect(struct custom_executor *custom)
{
    const struct agent_sink *sink = custom->sink;
    custom->sink = NULL;
    timer_stop(&custom->heartbeat);
    if (sink != NULL)
        sink->end(custom->sink_data);
}

// ---- memory ----

// In bytes, and no less than an agent gives a container.
static uint64_t memory_of(const struct agent_executor *executor)
{
    double megabytes = agent_executor_megabytes(executor);
    return (uint64_t)((megabytes > LEAST_MEGABYTES ? megabytes : LEAST_MEGABYTES) * 1024 * 1024);
}

static void adapt_memory(struct agent_executor *executor)
{
    struct sandbox_run *run = &own(executor)->run;
    sandbox_run_limit(run, memory_of(executor));
}

// ---- volumes ----

static void fail_update(struct custom_executor *custom, const char *reason)
{
    free(custom->fault);
    custom->fault = memory_format("Failed to update resources for container: %s", reason);
    agent_executor_destroy(custom->executor);
}

// The sandbox gets what the task has; if that fails the executor ends, as on a real agent.
static bool adapt_volumes(struct agent_executor *executor, const struct agent_task *task)
{
    struct error err = {0};
    if (executor_volumes_add(&own(executor)->volumes, executor, task, &err))
        return true;
    fail_update(own(executor), err.text);
    return false;
}

static bool adapt_volumes_to_group(struct agent_executor *executor, uint64_t group)
{
    const struct agent_task *task;
    TAILQ_FOREACH(task, &executor->tasks, link)
    if (task->group == group && !adapt_volumes(executor, task))
        return false;
    return true;
}

// ---- tasks ----

static void launch(struct agent_executor *executor, struct agent_task *task)
{
    Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
    Mesos__V1__Executor__Event__Launch message = MESOS__V1__EXECUTOR__EVENT__LAUNCH__INIT;
    message.task = task->info;
    event.launch = &message;
    if (!adapt_volumes(executor, task))
        return;
    adapt_memory(executor);
    send(executor, &event, TYPE(LAUNCH));
}

static size_t list_group(const struct agent_executor *executor, uint64_t group,
                         Mesos__V1__TaskInfo **list)
{
    const struct agent_task *task;
    size_t count = 0;
    TAILQ_FOREACH(task, &executor->tasks, link)
    {
        if (task->group != group)
            continue;
        if (list != NULL)
            list[count] = task->info;
        count++;
    }
    return count;
}

static void launch_group(struct agent_executor *executor, uint64_t group)
{
    Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
    Mesos__V1__Executor__Event__LaunchGroup message =
        MESOS__V1__EXECUTOR__EVENT__LAUNCH_GROUP__INIT;
    Mesos__V1__TaskGroupInfo tasks = MESOS__V1__TASK_GROUP_INFO__INIT;
    if (!adapt_volumes_to_group(executor, group))
        return;
    tasks.n_tasks = list_group(executor, group, NULL);
    tasks.tasks = memory_new(tasks.n_tasks * sizeof *tasks.tasks);
    list_group(executor, group, tasks.tasks);
    message.task_group = &tasks;
    event.launch_group = &message;
    adapt_memory(executor);
    send(executor, &event, TYPE(LAUNCH_GROUP));
    free(tasks.tasks);
}

static void kill_task(struct agent_task *task, const Mesos__V1__KillPolicy *policy)
{
    Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
    Mesos__V1__Executor__Event__Kill message = MESOS__V1__EXECUTOR__EVENT__KILL__INIT;
    message.task_id = task->info->task_id;
    message.kill_policy = (Mesos__V1__KillPolicy *)(uintptr_t)policy;
    event.kill = &message;
    send(task->executor, &event, TYPE(KILL));
}

static void message(struct agent_executor *executor, const ProtobufCBinaryData *bytes)
{
    Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
    Mesos__V1__Executor__Event__Message text = MESOS__V1__EXECUTOR__EVENT__MESSAGE__INIT;
    text.data = *bytes;
    event.message = &text;
    send(executor, &event, TYPE(MESSAGE));
}

// ---- calls ----

static bool was_seen(struct custom_executor *custom, const ProtobufCBinaryData *uuid)
{
    for (size_t i = 0; i < REMEMBERED && i < custom->seen_count; i++)
        if (memcmp(custom->seen[i], uuid->data, UUID_LENGTH) == 0)
            return true;
    memcpy(custom->seen[custom->seen_count++ % REMEMBERED], uuid->data, UUID_LENGTH);
    return false;
}

// What an agent adds to an update of an executor.
static void complete(const struct agent_executor *executor, Mesos__V1__TaskStatus *status,
                     Mesos__V1__AgentID *agent_id)
{
    agent_id->value = executor->agent->info->id->value;
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

void custom_executor_update(struct agent_executor *executor, const Mesos__V1__TaskStatus *given)
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
        if (task->phase == TASK_TERMINATED) {
            adapt_memory(executor);
            executor_volumes_drop(&own(executor)->volumes, executor);
        }
    }
    send_acknowledged(executor, given);
}

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

static void connect(struct custom_executor *custom, const struct agent_sink *sink, void *data)
{
    disconnect(custom);
    timer_stop(&custom->registration);
    custom->sink = sink;
    custom->sink_data = data;
    timer_start(&custom->heartbeat, HEARTBEAT_INTERVAL);
}

static void turn_away(const struct agent_sink *sink, void *data)
{
    Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
    event.has_type = true;
    event.type = TYPE(SHUTDOWN);
    sink->event(data, &event);
    sink->end(data);
}

void custom_executor_subscribe(struct agent_executor *executor,
                               const Mesos__V1__Executor__Call__Subscribe *subscribe,
                               const struct agent_sink *sink, void *data)
{
    if (executor->state != EXECUTOR_REGISTERING && executor->state != EXECUTOR_RUNNING) {
        turn_away(sink, data);
        return;
    }
    connect(own(executor), sink, data);
    if (!executor->used && !has_queued(executor)) {
        agent_executor_shutdown(executor); // all its tasks were killed before it came
        return;
    }
    send_subscribed(executor);
    for (size_t i = 0; i < subscribe->n_unacknowledged_updates; i++)
        custom_executor_update(executor, subscribe->unacknowledged_updates[i]->status);
    drop_unknown(executor, subscribe);
    agent_executor_registered(executor);
}

void custom_executor_disconnected(struct agent_executor *executor)
{
    struct custom_executor *custom = own(executor);
    custom->sink = NULL;
    timer_stop(&custom->heartbeat);
    log_debug("executor %s of framework %s is disconnected", executor->id, executor->framework_id);
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
    timer_start(&custom->registration, REGISTRATION_TIMEOUT);
}

static void on_registration_timeout(void *data)
{
    struct custom_executor *custom = data;
    log_info("executor %s of framework %s did not register within 1mins", custom->executor->id,
             custom->executor->framework_id);
    custom->late = true;
    agent_executor_destroy(custom->executor);
}

static void stop(struct custom_executor *custom)
{
    timer_stop(&custom->registration);
    disconnect(custom);
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
        .message = custom->late ? "Executor did not register within 1mins" : "Executor terminated"};
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
    custom->aliases[0] = (struct runner_alias){executor->latest, executor->container_id};
    custom->run = (struct sandbox_run){.all = &agent->runs,
                                       .command = executor->info->command,
                                       .directory = executor->sandbox,
                                       .aliases = custom->aliases,
                                       .user = executor->user,
                                       .memory_limit = memory_of(executor),
                                       .events = &events,
                                       .data = custom};
    timer_init(&custom->registration, agent->loop, on_registration_timeout, custom);
    timer_init(&custom->heartbeat, agent->loop, on_heartbeat, custom);
    if (prepare(custom, &err))
        sandbox_run_start(&custom->run);
    else
        on_failed(custom, err.text);
}

// One that cannot be told when the agent ends is asked by a signal.
static void shutdown(struct agent_executor *executor)
{
    send_plain(executor, TYPE(SHUTDOWN));
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
