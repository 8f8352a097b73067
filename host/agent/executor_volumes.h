// SPDX-License-Identifier: Apache-2.0
//
// The persistent volumes in the sandbox of an executor: its own, and those of its tasks, which come
// and go with them.

#ifndef MESOS_LUA_AGENT_EXECUTOR_VOLUMES_H
#define MESOS_LUA_AGENT_EXECUTOR_VOLUMES_H

#include "agent/agent_records.h"
#include "agent/task_volumes.h"

// For the start of an executor: its volumes, and those of the tasks that it has so far. The errors
// have the words of an agent.
bool executor_volumes_prepare(struct task_volumes *volumes, const struct agent_executor *executor,
                              struct error *err);

// For one that has no process, before its first task starts: makes its sandbox, with the volumes
// that are its own, if it has any.
bool executor_volumes_link_own(const struct agent_executor *executor, struct error *err);

// A task has come to an executor that runs: links to its volumes are added.
bool executor_volumes_add(struct task_volumes *volumes, const struct agent_executor *executor,
                          const struct agent_task *task, struct error *err);

// A task has ended: links that neither the executor nor another task needs are removed.
void executor_volumes_drop(struct task_volumes *volumes, const struct agent_executor *executor);

#endif
