// SPDX-License-Identifier: Apache-2.0
//
// Executions of tasks; see the header. An execution lives from the launch until its process has
// ended and its last update was acknowledged. One whose framework was removed is `silent`: it is
// not in the table, reports nothing, and is destroyed when its process has ended.

#include "agent/agent.h"

#include "agent/command_validation.h"
#include "agent/task_checks.h"
#include "agent/task_command.h"
#include "agent/task_end.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/string_map.h"
#include "base/uuid.h"
#include "wire/message_copy.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define RETRY_FIRST (10 * LOOP_SECOND)
#define RETRY_LONGEST (600 * LOOP_SECOND)
#define GRACE_PERIOD (3 * LOOP_SECOND)
#define REMOVAL_GRACE_PERIOD (5 * LOOP_SECOND)

#define EXECUTOR_MEMORY (UINT64_C(32) << 20) // bytes

enum { LAUNCHES_PER_TURN = 32 }; // of the loop, so other work is not delayed

enum execution_phase {
    STAGED,   // waits to be launched
    FETCHING, // a run copies its uris
    STARTING, // the command was given to the runner
    RUNNING,  // the command runs
    ENDED,    // only unacknowledged updates are left
};

struct update {
    Mesos__V1__TaskStatus *status;
    TAILQ_ENTRY(update) link;
};

struct execution {
    struct agent *agent;
    struct string_map_entry entry;
    TAILQ_ENTRY(execution) link, staged;
    char *key, *framework_id, *user, *sandbox, *latest;
    Mesos__V1__TaskInfo *info;
    char container_id[UUID_TEXT];
    enum execution_phase phase;
    bool killing_state, silent;
    enum task_end_cause cause;
    struct run *run;
    struct task_checks *checks; // NULL: it has none
    int64_t pid;
    size_t fetched;        // uris
    uint64_t memory_limit; // bytes; 0: none
    struct timer escalation, completion, retry;
    uint64_t retry_after;
    TAILQ_HEAD(updates, update) updates;
};

struct agent {
    struct loop *loop;
    char *id, *ip, *work_dir, *path;
    bool switch_users;
    struct runner *runner;
    const struct agent_events *events;
    void *data;
    struct string_map table;
    TAILQ_HEAD(executions, execution) executions, staged; // all; those in the phase STAGED
    struct deferral launch;
    bool stopping;
    struct timer stop_escalation;
    void (*stopped)(void *data);
    void *stopped_data;
};

bool agent_terminal(Mesos__V1__TaskState state)
{
    static const bool terminal[] = {
        [MESOS__V1__TASK_STATE__TASK_FINISHED] = true,
        [MESOS__V1__TASK_STATE__TASK_FAILED] = true,
        [MESOS__V1__TASK_STATE__TASK_KILLED] = true,
        [MESOS__V1__TASK_STATE__TASK_ERROR] = true,
        [MESOS__V1__TASK_STATE__TASK_LOST] = true,
        [MESOS__V1__TASK_STATE__TASK_DROPPED] = true,
        [MESOS__V1__TASK_STATE__TASK_GONE] = true,
        [MESOS__V1__TASK_STATE__TASK_GONE_BY_OPERATOR] = true,
    };
    return (size_t)state < sizeof terminal / sizeof terminal[0] && terminal[state];
}

static bool is_killed(const struct execution *execution)
{
    return execution->cause != TASK_END_OWN;
}

// A task that timed out has failed, also if it was to be killed as well.
static void mark_killed(struct execution *execution)
{
    if (!is_killed(execution))
        execution->cause = TASK_END_KILLED;
}

static const char *task_id(const struct execution *execution)
{
    return execution->info->task_id->value;
}

// ---- updates ----

static void send_first(struct execution *execution)
{
    struct update *first = TAILQ_FIRST(&execution->updates);
    struct agent *agent = execution->agent;
    if (first == NULL) {
        timer_stop(&execution->retry);
        return;
    }
    timer_start(&execution->retry, execution->retry_after);
    agent->events->update(agent->data, execution->framework_id, first->status);
}

static void on_retry(void *data)
{
    struct execution *execution = data;
    execution->retry_after *= 2;
    if (execution->retry_after > RETRY_LONGEST)
        execution->retry_after = RETRY_LONGEST;
    log_debug("task %s: its update was not acknowledged, sending it again", task_id(execution));
    send_first(execution);
}

// Fills in what all updates of the task have in common, and copies the status.
static struct update *make_update(struct execution *execution, Mesos__V1__TaskStatus *status)
{
    uint8_t uuid[UUID_LENGTH];
    uuid_random(uuid);
    Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
    Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
    id.value = executor_id.value = execution->info->task_id->value;
    agent_id.value = execution->agent->id;
    status->task_id = &id;
    status->agent_id = &agent_id;
    status->executor_id = &executor_id;
    status->has_source = status->has_timestamp = status->has_uuid = true;
    status->timestamp = loop_wall(execution->agent->loop);
    status->uuid = (ProtobufCBinaryData){.data = uuid, .len = sizeof uuid};
    struct update *update = memory_new(sizeof *update);
    update->status = message_copy(&status->base);
    return update;
}

static void destroy_update(struct execution *execution, struct update *update)
{
    TAILQ_REMOVE(&execution->updates, update, link);
    mesos__v1__task_status__free_unpacked(update->status, NULL);
    free(update);
}

static const char *state_name(Mesos__V1__TaskState state)
{
    return protobuf_c_enum_descriptor_get_value(&mesos__v1__task_state__descriptor, (int)state)
        ->name;
}

static bool is_of_check(const Mesos__V1__TaskStatus *status)
{
    return status->has_reason &&
           (status->reason ==
                MESOS__V1__TASK_STATUS__REASON__REASON_TASK_HEALTH_CHECK_STATUS_UPDATED ||
            status->reason == MESOS__V1__TASK_STATUS__REASON__REASON_TASK_CHECK_STATUS_UPDATED);
}

// Checks go on while a framework does not acknowledge: of their results that wait, which are behind
// the first update, only the latest is kept.
static void drop_outdated(struct execution *execution)
{
    struct update *last = TAILQ_LAST(&execution->updates, updates);
    if (last != NULL && last != TAILQ_FIRST(&execution->updates) && is_of_check(last->status))
        destroy_update(execution, last);
}

static void queue_update(struct execution *execution, Mesos__V1__TaskStatus *status)
{
    struct agent *agent = execution->agent;
    if (execution->silent)
        return;
    if (is_of_check(status))
        drop_outdated(execution);
    struct update *update = make_update(execution, status);
    bool idle = TAILQ_EMPTY(&execution->updates);
    TAILQ_INSERT_TAIL(&execution->updates, update, link);
    log_debug("task %s of framework %s: %s%s%s", task_id(execution), execution->framework_id,
              state_name(status->state), status->message ? ": " : "",
              status->message ? status->message : "");
    agent->events->entered(agent->data, execution->framework_id, task_id(execution), status->state);
    execution->retry_after = idle ? RETRY_FIRST : execution->retry_after;
    if (idle)
        send_first(execution);
}

// An update as the executor of a real agent sends it. `check` is the reason of one that a check
// makes, or NULL.
static void report_check(struct execution *execution, Mesos__V1__TaskState state,
                         const char *message, const Mesos__V1__TaskStatus__Reason *check)
{
    Mesos__V1__NetworkInfo__IPAddress address = MESOS__V1__NETWORK_INFO__IPADDRESS__INIT;
    Mesos__V1__NetworkInfo__IPAddress *addresses[] = {&address};
    Mesos__V1__NetworkInfo network = MESOS__V1__NETWORK_INFO__INIT;
    Mesos__V1__NetworkInfo *networks[] = {&network};
    Mesos__V1__ContainerID container_id = MESOS__V1__CONTAINER_ID__INIT;
    Mesos__V1__ContainerStatus container = MESOS__V1__CONTAINER_STATUS__INIT;
    Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
    address.ip_address = execution->agent->ip;
    network.n_ip_addresses = container.n_network_infos = 1;
    network.ip_addresses = addresses;
    container.network_infos = networks;
    container.has_executor_pid = execution->pid > 0;
    container.executor_pid = (uint32_t)execution->pid;
    container_id.value = execution->container_id;
    container.container_id = &container_id;
    status.state = state;
    status.message = (char *)(uintptr_t)message;
    status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR;
    status.has_reason = task_end_reason(execution->cause, &status.reason);
    if (check != NULL) {
        status.has_reason = true;
        status.reason = *check;
    }
    task_checks_fill(execution->checks, check != NULL, &status);
    status.container_status = &container;
    queue_update(execution, &status);
}

static void report(struct execution *execution, Mesos__V1__TaskState state, const char *message)
{
    report_check(execution, state, message, NULL);
}

// An update of the agent itself.
static void report_for_agent(struct execution *execution, Mesos__V1__TaskState state,
                             Mesos__V1__TaskStatus__Reason reason, const char *message)
{
    Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
    status.state = state;
    status.message = (char *)(uintptr_t)message;
    status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_AGENT;
    status.has_reason = true;
    status.reason = reason;
    queue_update(execution, &status);
}

// ---- the life of an execution ----

static void leave_stage(struct execution *execution)
{
    if (execution->phase != STAGED)
        return;
    TAILQ_REMOVE(&execution->agent->staged, execution, staged);
    execution->phase = STARTING;
}

static void stop_timers(struct execution *execution)
{
    timer_stop(&execution->escalation);
    timer_stop(&execution->completion);
}

static void on_all_ended(struct agent *agent)
{
    void (*stopped)(void *data) = agent->stopped;
    timer_stop(&agent->stop_escalation);
    agent->stopped = NULL;
    if (stopped != NULL)
        stopped(agent->stopped_data);
}

static void check_stopped(struct agent *agent)
{
    struct execution *execution;
    if (!agent->stopping)
        return;
    TAILQ_FOREACH(execution, &agent->executions, link)
    if (execution->run != NULL)
        return;
    on_all_ended(agent);
}

static void destroy_execution(struct execution *execution)
{
    struct agent *agent = execution->agent;
    leave_stage(execution);
    stop_timers(execution);
    timer_stop(&execution->retry);
    task_checks_destroy(execution->checks);
    while (!TAILQ_EMPTY(&execution->updates))
        destroy_update(execution, TAILQ_FIRST(&execution->updates));
    if (!execution->silent)
        string_map_remove(&agent->table, &execution->entry);
    TAILQ_REMOVE(&agent->executions, execution, link);
    mesos__v1__task_info__free_unpacked(execution->info, NULL);
    free(execution->key);
    free(execution->framework_id);
    free(execution->user);
    free(execution->sandbox);
    free(execution->latest);
    free(execution);
}

// No process of the execution is left. A silent one is destroyed.
static void end(struct execution *execution)
{
    leave_stage(execution);
    stop_timers(execution);
    task_checks_stop(execution->checks);
    execution->phase = ENDED;
    execution->run = NULL;
    if (execution->silent)
        destroy_execution(execution);
}

static void fail_launch(struct execution *execution, const char *reason)
{
    char *message = memory_format("Failed to launch container: %s", reason);
    report_for_agent(execution, MESOS__V1__TASK_STATE__TASK_FAILED,
                     MESOS__V1__TASK_STATUS__REASON__REASON_CONTAINER_LAUNCH_FAILED, message);
    free(message);
    end(execution);
}

static void killed_during_launch(struct execution *execution)
{
    report_for_agent(execution, MESOS__V1__TASK_STATE__TASK_KILLED,
                     MESOS__V1__TASK_STATUS__REASON__REASON_TASK_KILLED_DURING_LAUNCH,
                     "Killed before delivery to the executor");
    end(execution);
}

// ---- starting ----

static void on_started(void *data, int64_t pid);
static void on_failed(void *data, const char *reason);
static void on_exited(void *data, const struct runner_end *how);

static const struct runner_events task_events = {
    .started = on_started, .failed = on_failed, .exited = on_exited};

// What a run is for, besides its command line.
struct start {
    const Mesos__V1__Environment *environment; // of a check's command, besides the task's; or NULL
    const struct runner_events *events;
    void *data;
    uint64_t memory_limit;
};

static struct run *start_run(struct execution *execution, struct task_words *line, const char *file,
                             const struct start *start, struct error *err)
{
    const struct agent *agent = execution->agent;
    const struct task_place place = {.path = agent->path,
                                     .sandbox = execution->sandbox,
                                     .task_id = task_id(execution),
                                     .framework_id = execution->framework_id,
                                     .agent_id = agent->id,
                                     .container_id = execution->container_id,
                                     .ip = agent->ip};
    struct task_words environment =
        task_command_environment(&place, execution->info->command->environment, start->environment);
    const struct runner_command command = {
        .file = file,
        .argv = (const char *const *)line->items,
        .environment = (const char *const *)environment.items,
        .directory = execution->sandbox,
        .latest = start->events == &task_events ? execution->latest : NULL,
        .user = execution->user,
        .memory_limit = start->memory_limit,
    };
    struct run *run =
        agent->runner->ops->start(agent->runner, &command, start->events, start->data, err);
    task_command_free(&environment);
    task_command_free(line);
    return run;
}

static bool fetch(struct execution *execution, const Mesos__V1__CommandInfo__URI *uri,
                  struct error *err)
{
    const struct start start = {.events = &task_events, .data = execution};
    struct task_words line;
    if (!task_command_fetch(uri, &line, err))
        return false;
    execution->phase = FETCHING;
    execution->run = start_run(execution, &line, "/bin/sh", &start, err);
    return execution->run != NULL;
}

// ---- running ----

static void on_completion_timeout(void *data)
{
    struct execution *execution = data;
    bool again = is_killed(execution);
    task_checks_stop(execution->checks);
    execution->cause = TASK_END_TIMED_OUT;
    if (execution->killing_state && !again)
        report(execution, MESOS__V1__TASK_STATE__TASK_KILLING, NULL);
    if (execution->run != NULL)
        execution->agent->runner->ops->kill(execution->run, SIGKILL);
}

static bool run_command(struct execution *execution, struct error *err)
{
    const Mesos__V1__CommandInfo *command = execution->info->command;
    const struct start start = {
        .events = &task_events, .data = execution, .memory_limit = execution->memory_limit};
    const char *file;
    struct task_words line = task_command_line(command, &file);
    execution->phase = STARTING;
    execution->run = start_run(execution, &line, file, &start, err);
    return execution->run != NULL;
}

// If it is to be killed, its start is not reported.
static void on_started(void *data, int64_t pid)
{
    struct execution *execution = data;
    if (execution->phase != STARTING || is_killed(execution))
        return;
    const Mesos__V1__DurationInfo *longest = execution->info->max_completion_time;
    execution->phase = RUNNING;
    execution->pid = pid;
    if (longest != NULL && longest->nanoseconds > 0)
        timer_start(&execution->completion, (uint64_t)longest->nanoseconds);
    report(execution, MESOS__V1__TASK_STATE__TASK_STARTING, NULL);
    report(execution, MESOS__V1__TASK_STATE__TASK_RUNNING, NULL);
    task_checks_start(execution->checks);
}

// The next step of a launch: a uri to fetch, or the command.
static void proceed(struct execution *execution)
{
    const Mesos__V1__CommandInfo *command = execution->info->command;
    struct error err = {0};
    bool good = execution->fetched < command->n_uris
                    ? fetch(execution, command->uris[execution->fetched], &err)
                    : run_command(execution, &err);
    if (!good)
        fail_launch(execution, err.text);
}

static void on_fetched(struct execution *execution, bool good)
{
    execution->run = NULL;
    if (is_killed(execution) || execution->silent) {
        killed_during_launch(execution);
    } else if (good) {
        execution->fetched++;
        proceed(execution);
    } else {
        char *reason = memory_format("Failed to fetch '%s': see stderr in its sandbox %s",
                                     execution->info->command->uris[execution->fetched]->value,
                                     execution->sandbox);
        fail_launch(execution, reason);
        free(reason);
    }
}

// As the agent itself reports it, since the container is gone, with its executor.
static void report_memory(struct execution *execution, uint64_t used)
{
    Mesos__V1__Value__Scalar scalar = MESOS__V1__VALUE__SCALAR__INIT;
    Mesos__V1__Resource resource = MESOS__V1__RESOURCE__INIT, *resources[] = {&resource};
    Mesos__V1__TaskResourceLimitation limitation = MESOS__V1__TASK_RESOURCE_LIMITATION__INIT;
    Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
    scalar.value = (double)used / (1024 * 1024);
    resource.name = "mem";
    resource.type = MESOS__V1__VALUE__TYPE__SCALAR;
    resource.scalar = &scalar;
    resource.role = "*";
    limitation.n_resources = 1;
    limitation.resources = resources;
    status.state = MESOS__V1__TASK_STATE__TASK_FAILED;
    status.message = task_end_memory_message(used, execution->memory_limit);
    status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_AGENT;
    status.has_reason = task_end_reason(execution->cause, &status.reason);
    status.limitation = &limitation;
    queue_update(execution, &status);
    free(status.message);
}

static void report_end(struct execution *execution, const struct runner_end *how)
{
    char *message = task_end_message(how);
    report(execution, task_end_state(how, execution->cause), message);
    free(message);
}

static void on_command_ended(struct execution *execution, const struct runner_end *how)
{
    execution->run = NULL;
    if (how->memory > 0 && !is_killed(execution)) {
        execution->cause = TASK_END_MEMORY;
        report_memory(execution, how->memory);
    } else {
        report_end(execution, how);
    }
    end(execution);
}

static void on_exited(void *data, const struct runner_end *how)
{
    struct execution *execution = data;
    struct agent *agent = execution->agent;
    if (execution->phase == FETCHING) {
        on_fetched(execution, how->status == 0 && how->signal == 0);
    } else if (execution->phase == STARTING) {
        execution->run = NULL;
        killed_during_launch(execution);
    } else {
        on_command_ended(execution, how);
    }
    check_stopped(agent);
}

static void on_failed(void *data, const char *reason)
{
    struct execution *execution = data;
    struct agent *agent = execution->agent;
    execution->run = NULL;
    if (is_killed(execution) || execution->silent)
        killed_during_launch(execution);
    else
        fail_launch(execution, reason);
    check_stopped(agent);
}

// ---- finding ----

static char *key_of(const char *framework_id, const char *id)
{
    return memory_format("%s/%s", framework_id, id);
}

static struct execution *find(const struct agent *agent, const char *framework_id, const char *id)
{
    char *key = key_of(framework_id, id);
    struct execution *execution = string_map_find(&agent->table, key);
    free(key);
    return execution;
}

// ---- killing ----

static uint64_t grace_period(const Mesos__V1__KillPolicy *policy, const Mesos__V1__KillPolicy *own)
{
    if (policy == NULL || policy->grace_period == NULL)
        policy = own;
    if (policy == NULL || policy->grace_period == NULL)
        return GRACE_PERIOD;
    int64_t period = policy->grace_period->nanoseconds;
    return period > 0 ? (uint64_t)period : 0;
}

static void terminate(struct execution *execution, uint64_t grace)
{
    struct timer *escalation = &execution->escalation;
    uint64_t due = loop_now(execution->agent->loop) + grace;
    task_checks_stop(execution->checks);
    if (!is_killed(execution))
        execution->agent->runner->ops->kill(execution->run, SIGTERM);
    if (!is_killed(execution) || (timer_active(escalation) && due < escalation->due))
        timer_start(escalation, grace);
    mark_killed(execution);
}

// Ends a command that runs, as KILL does.
static void kill_running(struct execution *execution, const Mesos__V1__KillPolicy *policy)
{
    bool again = is_killed(execution);
    terminate(execution, grace_period(policy, execution->info->kill_policy));
    if (execution->killing_state && !again)
        report(execution, MESOS__V1__TASK_STATE__TASK_KILLING, NULL);
}

void agent_kill(struct agent *agent, const char *framework_id, const char *id,
                const Mesos__V1__KillPolicy *policy)
{
    struct execution *execution = find(agent, framework_id, id);
    if (execution == NULL || execution->phase == ENDED)
        return;
    if (execution->phase == STAGED) {
        killed_during_launch(execution);
    } else if (execution->phase == FETCHING || execution->phase == STARTING) {
        mark_killed(execution);
        agent->runner->ops->kill(execution->run, SIGKILL);
    } else {
        kill_running(execution, policy);
    }
}

// ---- checks ----

// Its uris and its user mean nothing, as with a real executor: it runs where and as the task does.
static struct run *on_check_start(void *data, const Mesos__V1__CommandInfo *command,
                                  const struct runner_events *events, void *checker,
                                  struct error *err)
{
    const struct start start = {
        .environment = command->environment, .events = events, .data = checker};
    const char *file;
    struct task_words line = task_command_line(command, &file);
    return start_run(data, &line, file, &start, err);
}

static void on_check_changed(void *data, Mesos__V1__TaskStatus__Reason reason)
{
    report_check(data, MESOS__V1__TASK_STATE__TASK_RUNNING, NULL, &reason);
}

static void on_unhealthy(void *data)
{
    kill_running(data, NULL);
}

static const struct task_checks_events checks_events = {
    .start = on_check_start, .changed = on_check_changed, .unhealthy = on_unhealthy};

// ---- launching ----

// What the task asked for and, as on a real agent, what its executor gets, in bytes.
static uint64_t memory_of(const Mesos__V1__TaskInfo *info)
{
    double megabytes = 0;
    for (size_t i = 0; i < info->n_resources; i++)
        if (strcmp(info->resources[i]->name, "mem") == 0 && info->resources[i]->scalar != NULL)
            megabytes += info->resources[i]->scalar->value;
    return (uint64_t)(megabytes * 1024 * 1024) + EXECUTOR_MEMORY;
}

// Where a real agent has it; the executor of a command has the id of its task.
static void name_sandbox(struct execution *execution)
{
    char *runs =
        memory_format("%s/slaves/%s/frameworks/%s/executors/%s/runs", execution->agent->work_dir,
                      execution->agent->id, execution->framework_id, task_id(execution));
    execution->sandbox = memory_format("%s/%s", runs, execution->container_id);
    execution->latest = memory_format("%s/latest", runs);
    free(runs);
}

// Not at once with the launch, as a call may launch thousands.
static void prepare(struct execution *execution)
{
    struct agent *agent = execution->agent;
    uuid_random_text(execution->container_id);
    name_sandbox(execution);
    execution->memory_limit = memory_of(execution->info);
    execution->checks =
        task_checks_create(agent->loop, agent->runner, execution->info, &checks_events, execution);
}

static void launch_staged(struct execution *execution)
{
    struct error err = {0};
    leave_stage(execution);
    prepare(execution);
    if (command_validation_uris(execution->info->command, &err))
        proceed(execution);
    else
        fail_launch(execution, err.text);
}

static void on_launch(void *data)
{
    struct agent *agent = data;
    struct execution *first;
    for (int i = 0; i < LAUNCHES_PER_TURN && (first = TAILQ_FIRST(&agent->staged)) != NULL; i++)
        launch_staged(first);
    if (!TAILQ_EMPTY(&agent->staged))
        deferral_queue(&agent->launch);
}

// The user of the command. That of the framework is often only the one who started it, and is used
// only where users are switched.
static const char *user_of(const struct agent *agent, const struct agent_launch *launch)
{
    const char *user = launch->task->command->user;
    if (user == NULL && agent->switch_users)
        user = launch->user;
    return user != NULL && *user ? user : NULL;
}

static void on_escalation(void *data)
{
    struct execution *execution = data;
    if (execution->run != NULL)
        execution->agent->runner->ops->kill(execution->run, SIGKILL);
}

void agent_launch(struct agent *agent, const struct agent_launch *launch)
{
    struct execution *execution = memory_new(sizeof *execution);
    execution->agent = agent;
    execution->info = message_copy(&launch->task->base);
    execution->framework_id = memory_string(launch->framework_id);
    execution->key = key_of(launch->framework_id, task_id(execution));
    execution->user = memory_string(user_of(agent, launch));
    execution->killing_state = launch->killing_state;
    execution->retry_after = RETRY_FIRST;
    timer_init(&execution->escalation, agent->loop, on_escalation, execution);
    timer_init(&execution->completion, agent->loop, on_completion_timeout, execution);
    timer_init(&execution->retry, agent->loop, on_retry, execution);
    TAILQ_INIT(&execution->updates);
    TAILQ_INSERT_TAIL(&agent->executions, execution, link);
    string_map_put(&agent->table, &execution->entry, execution->key, execution);
    TAILQ_INSERT_TAIL(&agent->staged, execution, staged);
    if (!agent->stopping)
        deferral_queue(&agent->launch);
}

// ---- acknowledgements ----

bool agent_acknowledge(struct agent *agent, const char *framework_id, const char *id,
                       const ProtobufCBinaryData *uuid, Mesos__V1__TaskState *state)
{
    struct execution *execution = find(agent, framework_id, id);
    struct update *first = execution ? TAILQ_FIRST(&execution->updates) : NULL;
    if (first == NULL || uuid->len != UUID_LENGTH ||
        memcmp(first->status->uuid.data, uuid->data, UUID_LENGTH) != 0)
        return false;
    *state = first->status->state;
    destroy_update(execution, first);
    if (agent_terminal(*state)) {
        destroy_execution(execution);
        return true;
    }
    execution->retry_after = RETRY_FIRST;
    send_first(execution);
    return true;
}

void agent_resend(struct agent *agent, const char *framework_id)
{
    struct execution *execution;
    TAILQ_FOREACH(execution, &agent->executions, link)
    {
        if (execution->silent || strcmp(execution->framework_id, framework_id) != 0)
            continue;
        execution->retry_after = RETRY_FIRST;
        send_first(execution);
    }
}

// ---- ends ----

static void silence(struct execution *execution)
{
    if (execution->run == NULL) {
        destroy_execution(execution);
        return;
    }
    string_map_remove(&execution->agent->table, &execution->entry);
    execution->silent = true;
    timer_stop(&execution->retry);
    terminate(execution, REMOVAL_GRACE_PERIOD);
}

void agent_remove_framework(struct agent *agent, const char *framework_id)
{
    for (struct execution *execution = TAILQ_FIRST(&agent->executions), *next; execution != NULL;
         execution = next) {
        next = TAILQ_NEXT(execution, link);
        if (!execution->silent && strcmp(execution->framework_id, framework_id) == 0)
            silence(execution);
    }
}

static void on_stop_escalation(void *data)
{
    struct agent *agent = data;
    struct execution *execution;
    TAILQ_FOREACH(execution, &agent->executions, link)
    if (execution->run != NULL)
        agent->runner->ops->kill(execution->run, SIGKILL);
}

void agent_stop(struct agent *agent, uint64_t grace, void (*done)(void *data), void *data)
{
    agent->stopping = true;
    agent->stopped = done;
    agent->stopped_data = data;
    struct execution *execution;
    TAILQ_FOREACH(execution, &agent->executions, link)
    {
        if (execution->run == NULL)
            continue;
        task_checks_stop(execution->checks);
        mark_killed(execution);
        agent->runner->ops->kill(execution->run, SIGTERM);
    }
    deferral_cancel(&agent->launch);
    timer_start(&agent->stop_escalation, grace);
    check_stopped(agent);
}

struct agent *agent_create(struct loop *loop, const struct agent_options *options,
                           const struct agent_events *events, void *data)
{
    struct agent *agent = memory_new(sizeof *agent);
    agent->loop = loop;
    agent->id = memory_string(options->id);
    agent->ip = memory_string(options->ip);
    agent->work_dir = memory_string(options->work_dir);
    agent->path = memory_string(options->path);
    agent->switch_users = options->switch_users;
    agent->runner = options->runner;
    agent->events = events;
    agent->data = data;
    timer_init(&agent->stop_escalation, loop, on_stop_escalation, agent);
    deferral_init(&agent->launch, loop, on_launch, agent);
    TAILQ_INIT(&agent->executions);
    TAILQ_INIT(&agent->staged);
    return agent;
}

void agent_destroy(struct agent *agent)
{
    if (agent == NULL)
        return;
    while (!TAILQ_EMPTY(&agent->executions))
        destroy_execution(TAILQ_FIRST(&agent->executions));
    timer_stop(&agent->stop_escalation);
    deferral_cancel(&agent->launch);
    string_map_free(&agent->table);
    free(agent->id);
    free(agent->ip);
    free(agent->work_dir);
    free(agent->path);
    free(agent);
}
