// SPDX-License-Identifier: Apache-2.0
//
// The executors of an agent, with their tasks, as the updates of these have named them.

#ifndef MESOS_LUA_OPERATOR_AGENT_EXECUTORS_H
#define MESOS_LUA_OPERATOR_AGENT_EXECUTORS_H

#include "master/master_records.h"

// A run of an executor: the tasks that are or were in one container.
struct executor_view {
    const char *id, *container_id; // of the first task's message; "" for a container not known yet
    int64_t pid;                   // 0: it is not known
    bool running;                  // it has a task that has not ended
    Mesos__V1__Task **tasks;
    size_t task_count;
};

struct executor_list {
    struct executor_view *items;
    size_t count;
};

// Those of a framework on that agent.
void agent_executors_list(struct executor_list *list, const struct node *node,
                          const struct master_framework *live, const struct framework_past *past);
void agent_executors_free(struct executor_list *list);

// Where its sandbox is; free() it.
char *agent_executors_directory(const struct executor_view *executor, const struct node *node,
                                const char *framework_id);

bool agent_executors_ended(const Mesos__V1__Task *task);

#endif
