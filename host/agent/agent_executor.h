// SPDX-License-Identifier: Apache-2.0
//
// The life of an executor, whatever its kind: it is staged, started, registered, given its tasks,
// told to end, and ended.

#ifndef MESOS_LUA_AGENT_AGENT_EXECUTOR_H
#define MESOS_LUA_AGENT_AGENT_EXECUTOR_H

#include "agent/agent_records.h"

void agent_executor_stage(struct agent_executor *executor); // a new one
void agent_executor_drop(struct agent_executor *executor);  // a new one that is not to run
void agent_executor_start(struct agent_executor *executor); // a staged one

// It is ready: its queued tasks are delivered.
void agent_executor_registered(struct agent_executor *executor);

// Delivers a task that is queued, with its group, if the executor is ready.
void agent_executor_deliver(struct agent_executor *executor, struct agent_task *task);

// A task that has not reached its executor is to be killed, and with it those of its group.
void agent_executor_kill_queued(struct agent_task *task);

// It is to end within its grace period; nothing that has ended, or was told so before.
void agent_executor_shutdown(struct agent_executor *executor);

void agent_executor_destroy(struct agent_executor *executor); // it is killed at once

// How an executor has ended, and what is reported of its tasks that have not.
struct agent_executor_end {
    int status; // as waitpid() gives it; -1: it has none
    Mesos__V1__TaskStatus__Reason reason;
    const char *message;
    Mesos__V1__TaskResourceLimitation *limitation; // or NULL
    bool gone; // they are TASK_GONE, or TASK_LOST, not TASK_FAILED
};

// Nothing of it runs any more. It is destroyed, unless updates of its tasks wait for their
// acknowledgement: then as soon as they are acknowledged.
void agent_executor_ended(struct agent_executor *executor, const struct agent_executor_end *how);

// The same of one that used more memory than `limit` bytes.
void agent_executor_exceeded(struct agent_executor *executor, const struct runner_end *how,
                             uint64_t limit);

// The same of one whose tasks have all ended, and that the master does not know.
void agent_executor_closed(struct agent_executor *executor);

int agent_executor_wait_status(const struct runner_end *how); // as waitpid() gives it

// The last update of a task was acknowledged: it goes, and with it perhaps its executor.
void agent_executor_task_done(struct agent_task *task);

// The framework was removed: it ends, and reports nothing.
void agent_executor_silence(struct agent_executor *executor);

// The memory that the executor and all tasks that it has asked for, in MB.
double agent_executor_megabytes(const struct agent_executor *executor);

#endif
