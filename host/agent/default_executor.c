// SPDX-License-Identifier: Apache-2.0
//
// Groups of tasks; see the header. A task that has started, and even one that has ended, waits
// until all of its group have started or failed: then the group is announced, and what happened to
// its tasks meanwhile is made up for.

#include "agent/default_executor.h"

#include "agent/agent_executor.h"
#include "agent/agent_updates.h"
#include "agent/executor_volumes.h"
#include "agent/task_process.h"
#include "base/memory.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define KILL_GRACE_SECONDS                                                                         \
    3 // of those that are killed with their group, whatever their policy says

enum pod_phase {
    POD_STARTING,
    POD_STARTED,   // it waits for the others of its group
    POD_FAILED,    // the same, and it could not be started
    POD_EXITED,    // the same, and it has ended already
    POD_ANNOUNCED, // as running
    POD_OVER,      // its end was reported
};

// A task of a group.
struct pod_task {
    struct task_process *process;
    char container_id[UUID_TEXT];
    char *alias, *target;           // a link to its folder by the task's id
    char *latest;                   // the link to the sandbox of the executor
    struct runner_alias aliases[3]; // the last is empty
    enum pod_phase phase;
    bool killed;           // before it was announced
    bool group_ends;       // the others of its group are being killed, too
    struct runner_end how; // of POD_EXITED
    char *reason;          // of POD_EXITED and POD_FAILED
};

// How the executor ends.
enum default_ending {
    ENDING_OWN,       // with its last task
    ENDING_DESTROYED, // by the agent
    ENDING_EXCEEDED,  // a task used too much memory
};

struct default_executor {
    struct agent_executor *executor;
    bool unhealthy; // a task was killed for its health
    bool shuts_down;
    enum default_ending ending;
    uint64_t used; // bytes of memory, of ENDING_EXCEEDED
    struct deferral registration, end;
};

static struct default_executor *own(const struct agent_executor *executor)
{
    return executor->own;
}

static bool is_active(const struct agent_task *task)
{
    const struct pod_task *pod = task->own;
    return pod != NULL && pod->phase != POD_OVER;
}

static bool has_process(const struct agent_task *task)
{
    const struct pod_task *pod = task->own;
    return is_active(task) && pod->phase != POD_FAILED && pod->phase != POD_EXITED;
}

// ---- the end of the executor ----

static void finish(struct agent_executor *executor, int status)
{
    const struct agent_executor_end end = {
        .status = status,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_EXECUTOR_TERMINATED,
        .message = "Executor terminated"};
    agent_executor_ended(executor, &end);
}

// Of the executor and all its tasks, in bytes, as they share it.
static uint64_t memory_of(const struct agent_executor *executor)
{
    return (uint64_t)(agent_executor_megabytes(executor) * 1024 * 1024);
}

// An executor without tasks ends, when its last update is on its way.
static void on_end(void *data)
{
    struct default_executor *pods = data;
    struct agent_executor *executor = pods->executor;
    const struct runner_end how = {.signal = SIGKILL, .memory = pods->used};
    const struct agent_task *task;
    TAILQ_FOREACH(task, &executor->tasks, link)
    if (pods->ending == ENDING_OWN ? is_active(task) : has_process(task))
        return;
    if (pods->ending == ENDING_EXCEEDED)
        agent_executor_exceeded(executor, &how, memory_of(executor));
    else
        finish(executor, pods->ending == ENDING_OWN ? 0 : SIGKILL);
}

static void destroy(struct agent_executor *executor)
{
    struct default_executor *pods = own(executor);
    struct agent_task *task;
    if (pods->ending == ENDING_OWN)
        pods->ending = ENDING_DESTROYED;
    deferral_cancel(&pods->registration);
    TAILQ_FOREACH(task, &executor->tasks, link)
    if (has_process(task))
        task_process_destroy_now(((struct pod_task *)task->own)->process);
    deferral_queue(&pods->end);
}

// ---- the end of a task ----

static void kill_pod(struct pod_task *pod, const Mesos__V1__KillPolicy *policy)
{
    if (pod->phase == POD_ANNOUNCED)
        task_process_kill(pod->process, policy);
    else
        pod->killed = true;
}

// Those of a group, or all for 0.
static void kill_pods(struct agent_executor *executor, uint64_t group)
{
    Mesos__V1__DurationInfo grace = MESOS__V1__DURATION_INFO__INIT;
    Mesos__V1__KillPolicy policy = MESOS__V1__KILL_POLICY__INIT;
    grace.nanoseconds = KILL_GRACE_SECONDS * INT64_C(1000000000);
    policy.grace_period = &grace;
    struct agent_task *task;
    TAILQ_FOREACH(task, &executor->tasks, link)
    {
        struct pod_task *pod = task->own;
        if (!is_active(task) || (group != 0 && task->group != group))
            continue;
        pod->group_ends = true;
        kill_pod(pod, &policy);
    }
}

static void leave(struct agent_task *task)
{
    struct agent_executor *executor = task->executor;
    struct pod_task *pod = task->own;
    bool bad = task->state == MESOS__V1__TASK_STATE__TASK_FAILED ||
               task->state == MESOS__V1__TASK_STATE__TASK_KILLED;
    pod->phase = POD_OVER;
    if (bad && !pod->group_ends && !own(executor)->shuts_down)
        kill_pods(executor, task->group);
    deferral_queue(&own(executor)->end);
}

static void exceed(struct agent_task *task, const struct runner_end *how)
{
    struct default_executor *pods = own(task->executor);
    ((struct pod_task *)task->own)->phase = POD_EXITED;
    pods->ending = ENDING_EXCEEDED;
    pods->used = how->memory;
    agent_executor_destroy(task->executor);
}

static void report_exit(struct agent_task *task, const struct runner_end *how)
{
    const struct pod_task *pod = task->own;
    if (how->memory > 0 && !task_process_is_killed(pod->process)) {
        exceed(task, how);
        return;
    }
    task_process_report_end(pod->process, how);
    leave(task);
}

static void report_failure(struct agent_task *task, const char *reason)
{
    const struct pod_task *pod = task->own;
    task_process_report(pod->process, MESOS__V1__TASK_STATE__TASK_FAILED, reason);
    leave(task);
}

// ---- the start of a group ----

static bool all_resolved(const struct agent_executor *executor, uint64_t group)
{
    const struct agent_task *task;
    TAILQ_FOREACH(task, &executor->tasks, link)
    if (task->group == group && ((struct pod_task *)task->own)->phase == POD_STARTING)
        return false;
    return true;
}

static void make_up(struct agent_task *task, enum pod_phase phase)
{
    struct pod_task *pod = task->own;
    if (phase == POD_EXITED)
        report_exit(task, &pod->how);
    else if (phase == POD_FAILED)
        report_failure(task, pod->reason);
    else if (pod->killed)
        task_process_kill(pod->process, NULL);
}

static void announce_if_resolved(struct agent_executor *executor, uint64_t group)
{
    struct agent_task *task;
    if (!all_resolved(executor, group) || own(executor)->ending != ENDING_OWN)
        return;
    TAILQ_FOREACH(task, &executor->tasks, link)
    {
        struct pod_task *pod = task->own;
        if (task->group == group && pod->phase != POD_FAILED)
            task_process_announce(pod->process);
    }
    TAILQ_FOREACH(task, &executor->tasks, link)
    {
        struct pod_task *pod = task->own;
        enum pod_phase phase = pod->phase;
        if (task->group != group || phase == POD_OVER)
            continue;
        if (phase == POD_STARTED)
            pod->phase = POD_ANNOUNCED;
        make_up(task, phase);
    }
}

// ---- what the processes report ----

static struct agent_executor *executor_of(const struct task_process *process)
{
    return process->task->executor;
}

static void resolve(struct task_process *process, enum pod_phase phase)
{
    struct pod_task *pod = process->task->own;
    pod->phase = phase;
    if (own(executor_of(process))->ending != ENDING_OWN)
        deferral_queue(&own(executor_of(process))->end);
    else
        announce_if_resolved(executor_of(process), process->task->group);
}

static struct task_words on_environment(struct task_process *process)
{
    const struct agent *agent = executor_of(process)->agent;
    const Mesos__V1__TaskInfo *info = process->task->info;
    const Mesos__V1__Resource__AllocationInfo *allocation =
        info->n_resources > 0 ? info->resources[0]->allocation_info : NULL;
    struct task_words words = {0};
    task_command_set(&words, "PATH", agent->path);
    task_command_set(&words, "MESOS_SANDBOX", process->directory);
    task_command_set(&words, "MESOS_CONTAINER_IP", agent->ip);
    if (allocation != NULL && allocation->role != NULL)
        task_command_set(&words, "MESOS_ALLOCATION_ROLE", allocation->role);
    task_command_add(&words, info->command->environment);
    return words;
}

static void on_started(struct task_process *process)
{
    resolve(process, POD_STARTED);
}

static void on_failed(struct task_process *process, const char *reason)
{
    ((struct pod_task *)process->task->own)->reason = memory_string(reason);
    resolve(process, POD_FAILED);
}

// It is killed as early only with the whole executor.
static void on_killed(struct task_process *process)
{
    on_failed(process, "Executor terminated");
}

static void on_exited(struct task_process *process, const struct runner_end *how)
{
    struct agent_task *task = process->task;
    struct pod_task *pod = task->own;
    if (pod->phase == POD_ANNOUNCED && own(task->executor)->ending == ENDING_OWN) {
        report_exit(task, how);
        return;
    }
    pod->how = *how;
    pod->how.reason = pod->reason = memory_string(how->reason);
    resolve(process, POD_EXITED);
}

// ---- launching ----

// Returns its own, which is the caller's.
static char *name_folders(struct agent_task *task, struct pod_task *pod)
{
    const struct agent_executor *executor = task->executor;
    uuid_random_text(pod->container_id);
    char *sandbox = agent_records_sandbox(executor);
    char *folder = memory_format("%s/containers/%s", sandbox, pod->container_id);
    pod->alias = memory_format("%s/tasks/%s", sandbox, task->id);
    pod->target = memory_format("../containers/%s", pod->container_id);
    pod->latest = agent_records_latest(executor);
    free(sandbox);
    pod->aliases[0] = (struct runner_alias){pod->latest, executor->container_id};
    pod->aliases[1] = (struct runner_alias){pod->alias, pod->target};
    return folder;
}

static void prepare(struct agent_task *task)
{
    static const struct task_process_events events = {.environment = on_environment,
                                                      .started = on_started,
                                                      .failed = on_failed,
                                                      .killed = on_killed,
                                                      .exited = on_exited};
    struct agent_executor *executor = task->executor;
    struct pod_task *pod = task->own = memory_new(sizeof *pod);
    const char *user = task->info->command->user;
    const struct task_process_options options = {.directory = name_folders(task, pod),
                                                 .aliases = pod->aliases,
                                                 .user =
                                                     user != NULL && *user ? user : executor->user,
                                                 .container_id = pod->container_id,
                                                 .parent_container_id = executor->container_id,
                                                 .memory_limit = memory_of(executor),
                                                 .unhealthy = &own(executor)->unhealthy};
    pod->process = task_process_create(task, &options, &events, NULL);
    task_process_report(pod->process, MESOS__V1__TASK_STATE__TASK_STARTING, NULL);
}

static void adapt_memory(struct agent_executor *executor)
{
    struct agent_task *task;
    TAILQ_FOREACH(task, &executor->tasks, link)
    if (has_process(task))
        sandbox_run_limit(&((struct pod_task *)task->own)->process->run, memory_of(executor));
}

static void launch_group(struct agent_executor *executor, uint64_t group)
{
    struct agent_task *task;
    TAILQ_FOREACH(task, &executor->tasks, link)
    if (task->group == group)
        prepare(task);
    adapt_memory(executor);
    TAILQ_FOREACH(task, &executor->tasks, link)
    if (task->group == group)
        task_process_start(((struct pod_task *)task->own)->process);
}

static void kill_task(struct agent_task *task, const Mesos__V1__KillPolicy *policy)
{
    if (is_active(task) && !own(task->executor)->shuts_down)
        kill_pod(task->own, policy);
}

// ---- the kind ----

// It ends at once if all its tasks were killed before.
static void on_registration(void *data)
{
    struct default_executor *pods = data;
    agent_executor_registered(pods->executor);
    deferral_queue(&pods->end);
}

static void fail(struct agent_executor *executor, const struct error *err)
{
    char *text = memory_format("Failed to launch container: %s", err->text);
    const struct agent_executor_end end = {
        .status = -1,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_CONTAINER_LAUNCH_FAILED,
        .message = text};
    agent_executor_ended(executor, &end);
    free(text);
}

static void start(struct agent_executor *executor)
{
    struct loop *loop = executor->agent->loop;
    struct error err = {0};
    if (!executor_volumes_link_own(executor, &err)) {
        fail(executor, &err);
        return;
    }
    struct default_executor *pods = executor->own = memory_new(sizeof *pods);
    pods->executor = executor;
    deferral_init(&pods->registration, loop, on_registration, pods);
    deferral_init(&pods->end, loop, on_end, pods);
    deferral_queue(&pods->registration);
}

static void shutdown(struct agent_executor *executor)
{
    struct default_executor *pods = own(executor);
    pods->shuts_down = true;
    deferral_cancel(&pods->registration);
    kill_pods(executor, 0);
    deferral_queue(&pods->end);
}

static void free_task(struct agent_task *task)
{
    struct pod_task *pod = task->own;
    if (pod == NULL)
        return;
    task_process_destroy(pod->process);
    free(pod->alias);
    free(pod->target);
    free(pod->latest);
    free(pod->reason);
    free(pod);
}

static void free_own(struct agent_executor *executor)
{
    struct default_executor *pods = own(executor);
    if (pods == NULL)
        return;
    deferral_cancel(&pods->registration);
    deferral_cancel(&pods->end);
    free(pods);
}

const struct agent_executor_kind default_executor_kind = {.start = start,
                                                          .launch_group = launch_group,
                                                          .kill = kill_task,
                                                          .shutdown = shutdown,
                                                          .destroy = destroy,
                                                          .free_task = free_task,
                                                          .free = free_own};
