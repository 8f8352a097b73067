// SPDX-License-Identifier: Apache-2.0
//
// A task that is a command, as the executors inside the agent run it: its process, its checks, and
// how it is killed: SIGTERM, SIGKILL after a grace period, and what max_completion_time does. What
// is reported of it is up to its owner, but for TASK_KILLING and what checks find.

#ifndef MESOS_LUA_AGENT_TASK_PROCESS_H
#define MESOS_LUA_AGENT_TASK_PROCESS_H

#include "agent/agent_updates.h"
#include "agent/sandbox_run.h"
#include "agent/task_end.h"
#include "agent/task_volumes.h"

#include "mesos/v1/mesos.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

struct task_process;

// `started` comes first, and the owner announces the task then or later, unless the process never
// ran. Exactly one of the others comes, as the last; the owner may destroy the process in it.
struct task_process_events {
    struct task_words (*environment)(struct task_process *process);
    void (*started)(struct task_process *process);
    void (*failed)(struct task_process *process, const char *reason); // it was not started
    void (*killed)(struct task_process *process);                     // before it was started
    void (*exited)(struct task_process *process, const struct runner_end *how);
};

struct task_process_options {
    char *directory;                    // its sandbox, which the process takes
    const struct runner_alias *aliases; // outlive the process, or task_process_rest()
    const char *user;                   // that it runs as, or NULL; copied
    const char *container_id;           // outlives the process; so does its parent
    const char *parent_container_id;    // NULL: it is not nested
    uint64_t memory_limit;              // bytes; 0: none
    // Of nested ones: set when one is killed for its health, and then the last updates of all that
    // have this flag say that they are not healthy. Outlives the process.
    bool *unhealthy;
};

// Most processes end by themselves, and without a time-out.
struct task_process_timers {
    struct timer escalation, completion;
};

struct task_process {
    struct agent_task *task;
    const struct task_process_events *events;
    void *data; // the owner's
    struct sandbox_run run;
    struct task_volumes volumes;
    struct agent_updates_container container;
    enum task_end_cause cause;
    struct task_checks *checks;         // NULL: it has none
    struct task_process_timers *timers; // NULL: it needs none yet
    char *directory, *user;             // the former is NULL when it rests
    bool *unhealthy;
};

struct task_process *task_process_create(struct agent_task *task,
                                         const struct task_process_options *options,
                                         const struct task_process_events *events, void *data);
void task_process_destroy(struct task_process *process); // NULL is fine

// Events may come inside this call.
void task_process_start(struct task_process *process);

// SIGTERM now, SIGKILL after the grace period of `policy`, else of the task, else 3 seconds. Before
// the command has started it is killed at once. Of a task that is being killed already the shorter
// period counts.
void task_process_kill(struct task_process *process, const Mesos__V1__KillPolicy *policy);

// The same without TASK_KILLING, and with that grace period in nanoseconds.
void task_process_terminate(struct task_process *process, uint64_t grace);

// It has started: TASK_RUNNING is reported, and its checks and its max_completion_time begin.
void task_process_announce(struct task_process *process);

// It was announced, and if it has no checks nothing is started for it any more: what only a start
// needs is freed. True if so; then its aliases and the info of its task are not needed either.
bool task_process_rest(struct task_process *process);

void task_process_destroy_now(struct task_process *process); // SIGKILL

bool task_process_is_killed(const struct task_process *process); // it is to end

// An update of its executor. The reason is that of its end, if it has one.
void task_process_report(struct task_process *process, Mesos__V1__TaskState state,
                         const char *message);

// That of its end, or of its death by the memory that it used.
void task_process_report_end(struct task_process *process, const struct runner_end *how);

#endif
