// SPDX-License-Identifier: Apache-2.0
//
// An agent: it runs the tasks that the master gives it, through a runner, and reports their states.
// Each report is an update with a uuid. It is sent again until the framework acknowledges it, after
// 10 s, 20 s and so on up to 10 minutes; the next update of the task waits until then.
//
// A task has an executor: a command that the agent runs itself, with its checks; the default
// executor, which runs groups of such commands, and is a part of the agent, too; or a program of
// the framework that speaks the v1 executor API (agent_calls.h). The master has refused tasks with
// anything that the agent does not carry out (unsupported_fields.h).
//
// The agent does no I/O and reads no clock; the runner and the loop do. It calls its events also
// inside the functions below, but inside agent_launch() only for a task that it drops.

#ifndef MESOS_LUA_AGENT_AGENT_H
#define MESOS_LUA_AGENT_AGENT_H

#include "agent/agent_operations.h"
#include "agent/runner.h"
#include "agent/status_update.h"
#include "loop/loop.h"

#include "mesos/v1/executor/executor.pb-c.h"

struct agent;

struct agent_events {
    // The task has entered this state. The update for the framework may follow later: updates are
    // queued.
    void (*entered)(void *data, const char *framework_id, const char *task_id,
                    Mesos__V1__TaskState state);
    // An update for the framework, for the first time or again.
    void (*update)(void *data, const char *framework_id, const char *task_id,
                   struct status_update *update);
    agent_operations_update operation_update;
    // An executor that the master knows has ended, with the status that waitpid() gives; -1: it has
    // none. Its tasks that still ran are reported after that.
    void (*executor_ended)(void *data, const char *framework_id, const char *executor_id,
                           int status);
    // An executor has a message for its framework.
    void (*message)(void *data, const char *framework_id, const char *executor_id,
                    const ProtobufCBinaryData *bytes);
};

// Receives the events of a subscribed executor. An event is valid during the call. Neither function
// may call into the agent. No event follows `end`.
struct agent_sink {
    void (*event)(void *data, const Mesos__V1__Executor__Event *event);
    void (*end)(void *data);
};

struct agent_options {
    const Mesos__V1__AgentInfo *info; // as executors see it; with its id and port
    unsigned number;                  // it is slave(NUMBER) to its executors
    const char *ip;                   // of its tasks, and where it is served
    const char *work_dir;             // the sandboxes of all agents lie below it; absolute
    const char *path;                 // PATH of its tasks
    bool switch_users;                // tasks run as the users of their frameworks
    bool secret; // executors have to authenticate themselves, and get a token for it
    uint64_t registration_timeout; // how long an executor may take to register
    struct runner *runner;
};

// One task, or a group of tasks.
struct agent_launch {
    const Mesos__V1__FrameworkInfo *framework; // with its id
    Mesos__V1__TaskInfo *const *tasks;
    size_t count;
    const Mesos__V1__ExecutorInfo *executor; // NULL: the one task is a command
    bool group;
    bool new_executor; // the master knows of none with this id
};

// The options are copied; the runner must outlive the agent.
struct agent *agent_create(struct loop *loop, const struct agent_options *options,
                           const struct agent_events *events, void *data);

void agent_launch(struct agent *agent, const struct agent_launch *launch);

// Tells an executor to end its tasks and itself within its grace period. Nothing happens if there
// is none that runs.
void agent_shutdown_executor(struct agent *agent, const char *framework_id,
                             const char *executor_id);

// The same at once, as if it had crashed.
void agent_destroy_executor(struct agent *agent, const char *framework_id, const char *executor_id);

// True if it has that executor, and it has not ended. Those of commands do not count.
bool agent_has_executor(const struct agent *agent, const char *framework_id,
                        const char *executor_id);

// Calls `each` for all of them.
void agent_each_executor(const struct agent *agent,
                         void (*each)(void *data, const char *framework_id,
                                      const Mesos__V1__ExecutorInfo *info),
                         void *data);

// Gives an executor a message. It is lost if the executor is not subscribed.
void agent_message(struct agent *agent, const char *framework_id, const char *executor_id,
                   const ProtobufCBinaryData *bytes);

// A command gets SIGTERM now, SIGKILL after the grace period, which is that of `policy`, else of
// the task, else 3 seconds; if it is being killed already, the shorter period counts. An executor
// of the framework's is told. Nothing is reported of a task that the agent does not have, or that
// has ended.
void agent_kill(struct agent *agent, const char *framework_id, const char *task_id,
                const Mesos__V1__KillPolicy *policy);

// Its operations on resources, which end with the agent.
struct agent_operations *agent_operations(const struct agent *agent);

// True, and the state of that update, if it was waiting for its acknowledgement.
bool agent_acknowledge(struct agent *agent, const char *framework_id, const char *task_id,
                       const ProtobufCBinaryData *uuid, Mesos__V1__TaskState *state);

// The framework has reconnected: sends the updates that it has not acknowledged again.
void agent_resend(struct agent *agent, const char *framework_id);

// Ends the tasks of a framework that was removed, and reports nothing of them.
void agent_remove_framework(struct agent *agent, const char *framework_id);

// Ends all tasks: SIGTERM now, SIGKILL after `grace` nanoseconds; nothing is launched after that.
// `done` is called when nothing runs, inside this call or later.
void agent_stop(struct agent *agent, uint64_t grace, void (*done)(void *data), void *data);

// Frees it. The runner owns what still runs, and must be destroyed before.
void agent_destroy(struct agent *agent);

// True if a task never leaves that state.
static inline bool agent_terminal(Mesos__V1__TaskState state)
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

#endif
