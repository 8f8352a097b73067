// SPDX-License-Identifier: Apache-2.0
//
// The first tasks of a run, for a Gantt chart: FIRST_TASKS of them.

#ifndef MESOS_LUA_SIM_FIRST_TASKS_H
#define MESOS_LUA_SIM_FIRST_TASKS_H

#include "mesos/v1/mesos.pb-c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FIRST_TASKS = 500 };

struct first_task {
    char *task, *agent; // its id, and the label of the agent
    const char *job;    // its id, or NULL
    const char *role;   // that it counts for
    uint64_t launched, started, ended;
    bool has_started, has_ended;
    Mesos__V1__TaskState state; // the last
};

struct first_tasks {
    struct first_task items[FIRST_TASKS];
    size_t count;
};

// A new one, zeroed; NULL: there are enough. It is up to the caller to fill it in; `task` and
// `agent` are freed with it.
struct first_task *first_tasks_add(struct first_tasks *tasks);
void first_tasks_free(struct first_tasks *tasks);

#endif
