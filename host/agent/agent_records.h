// SPDX-License-Identifier: Apache-2.0
//
// What an agent has: executors, and the tasks of each. Only the files of the agent include this.
//
// An executor is in its agent's list from the launch until nothing of it runs and the last update
// of its tasks was acknowledged; a task until its last update was acknowledged. Both are in the
// tables of the agent by framework and id. Those of a framework that was removed are `silent`: they
// are in no table, report nothing, and go when nothing of them runs.
//
// There may be very many tasks, so what is needed only until a task runs goes then
// (agent_records_rest()), ids are kept once, and paths are made when they are asked for.

#ifndef MESOS_LUA_AGENT_AGENT_RECORDS_H
#define MESOS_LUA_AGENT_AGENT_RECORDS_H

#include "agent/agent.h"
#include "agent/sandbox_run.h"
#include "agent/task_updates.h"
#include "base/bytes.h"
#include "base/string_map.h"
#include "base/uuid.h"

#include <sys/queue.h>

struct agent_executor;
struct agent_task;

struct agent {
    struct loop *loop;
    struct bytes *info; // packed; only executors that are programs want it
    char *id;
    unsigned port;
    char *ip, *work_dir, *path;
    unsigned number; // it is slave(NUMBER)
    bool switch_users, secret;
    uint64_t groups; // that were launched so far
    const struct agent_events *events;
    void *data;
    struct sandbox_runs runs;
    struct agent_operations *operations;
    struct string_map executor_table, task_table;
    struct string_map framework_ids;        // of its executors, see agent_records.c
    TAILQ_HEAD(, agent_executor) executors; // all
    TAILQ_HEAD(, agent_executor) staged;    // those that wait to be started
    struct deferral start;
    uint64_t registration_timeout; // of executors
    bool stopping, draining;
    bool leaving; // it is marked gone when it is drained
    struct timer stop_escalation;
    void (*stopped)(void *data);
    void *stopped_data;
};

// What the kinds of executors do in their own ways.
struct agent_executor_kind {
    // The executor of a command is the agent's own affair: the master does not know it, and it gets
    // its task when it is started.
    bool hidden;
    void (*start)(struct agent_executor *executor);
    // A task has reached the executor; for a group: all that have this number.
    void (*launch)(struct agent_executor *executor, struct agent_task *task);
    void (*launch_group)(struct agent_executor *executor, uint64_t group);
    void (*kill)(struct agent_task *task, const Mesos__V1__KillPolicy *policy);
    void (*message)(struct agent_executor *executor, const ProtobufCBinaryData *bytes); // or NULL
    void (*shutdown)(struct agent_executor *executor); // it is to end its tasks, and itself
    void (*destroy)(struct agent_executor *executor);  // kills all that runs, at once
    void (*free_task)(struct agent_task *task);        // what the kind has of it; may be NULL
    void (*free)(struct agent_executor *executor);     // the same of the executor
};

enum agent_executor_state {
    EXECUTOR_STAGED, // it waits to be started
    EXECUTOR_REGISTERING,
    EXECUTOR_RUNNING,
    EXECUTOR_TERMINATING, // it was told to end
    EXECUTOR_TERMINATED,  // nothing of it runs
};

struct agent_executor {
    struct agent *agent;
    const struct agent_executor_kind *kind;
    struct string_map_entry entry;
    TAILQ_ENTRY(agent_executor) link, staged;
    char *id;                 // in `key`
    const char *framework_id; // shared by all executors of the framework
    char *user;               // or NULL
    char container_id[UUID_TEXT];
    Mesos__V1__ExecutorInfo *info;       // NULL: it is that of a command
    Mesos__V1__FrameworkInfo *framework; // the same
    enum agent_executor_state state;     // changed by agent_executor.c
    bool killing_state;                  // the framework knows TASK_KILLING
    bool partition_aware;                // the framework has that capability
    bool listed;                         // in the table
    bool silent;
    bool used; // a task has reached it
    TAILQ_HEAD(agent_tasks, agent_task) tasks;
    struct timer *escalation; // to the end of the grace period of a shutdown; NULL: there was none
    void *own;                // the kind's
    char key[];               // the id of the framework, a slash, and its own
};

enum agent_task_phase {
    TASK_QUEUED,    // it has not reached its executor
    TASK_DELIVERED, // to its executor
    TASK_TERMINATED,
};

struct agent_task {
    struct agent_executor *executor;
    struct string_map_entry entry;
    TAILQ_ENTRY(agent_task) link;
    char *key;                 // as that of its executor, which it shares if they have the same id
    char *id;                  // in `key`
    Mesos__V1__TaskInfo *info; // one block; NULL: it runs, and needs it no more; of a command
                               // without what its executor does not look at
    uint64_t grace;            // of its kill policy, else 3 seconds
    bool own_grace;            // its kill policy has one
    uint64_t group;            // its number; 0: it was launched by itself
    enum agent_task_phase phase;
    Mesos__V1__TaskState state; // the last that was reported; TASK_STAGING at first
    struct task_updates updates;
    void *own; // the kind's
};

struct agent_executor *agent_records_executor(const struct agent *agent, const char *framework_id,
                                              const char *id);
struct agent_task *agent_records_task(const struct agent *agent, const char *framework_id,
                                      const char *id);

// The executor that the launch needs; what the launch names is copied. NULL for `kind`: it never
// runs, and is not in the table.
struct agent_executor *agent_records_add_executor(struct agent *agent,
                                                  const struct agent_executor_kind *kind,
                                                  const struct agent_launch *launch);

const char *agent_records_executor_id(const struct agent_launch *launch);

// Where its sandbox is, and the link to the latest one of that id. Both are made when something
// starts there. free() them.
char *agent_records_sandbox(const struct agent_executor *executor);
char *agent_records_latest(const struct agent_executor *executor);

// True if the framework has that capability.
bool agent_records_capable(const Mesos__V1__FrameworkInfo *framework,
                           Mesos__V1__FrameworkInfo__Capability__Type type);

struct agent_task *agent_records_add_task(struct agent_executor *executor,
                                          const Mesos__V1__TaskInfo *info, uint64_t group);

// The task runs, and what was launched is not looked at any more: it is forgotten.
void agent_records_rest(struct agent_task *task);

void agent_records_remove_task(struct agent_task *task);
void agent_records_remove_executor(struct agent_executor *executor); // and its tasks

// Takes it and its tasks out of the tables, and drops their updates.
void agent_records_silence(struct agent_executor *executor);

#endif
