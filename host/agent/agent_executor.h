// SPDX-License-Identifier: Apache-2.0
//
// The life of an executor, whatever its kind: it is staged, started, registered, given its tasks,
// told to end, and ended.

#ifndef MESOS_LUA_AGENT_AGENT_EXECUTOR_H
#define MESOS_LUA_AGENT_AGENT_EXECUTOR_H

#include "agent/agent_records.h"

void agent_executor_stage(struct agent_executor *executor); // a new one
void agent_executor_start(struct agent_executor *executor); // a staged one

// It is ready: its queued tasks are delivered.
void agent_executor_registered(struct agent_executor *executor);

// Delivers the tasks that are queued, if it is ready.
void agent_executor_deliver(struct agent_executor *executor);

// A task that has not reached its executor is to be killed, and with it those of its group.
void agent_executor_kill_queued(struct agent_task *task);

// It is to end within its grace period; nothing that has ended, or was told so before.
void agent_executor_shutdown(struct agent_executor *executor);

// Nothing of it runs any more. It is destroyed, unless updates of its tasks wait for their
// acknowledgement: then as soon as they are acknowledged.
void agent_executor_ended(struct agent_executor *executor);

// The last update of a task was acknowledged: it goes, and with it perhaps its executor.
void agent_executor_task_done(struct agent_task *task);

// The framework was removed: it ends, and reports nothing.
void agent_executor_silence(struct agent_executor *executor);

#endif
