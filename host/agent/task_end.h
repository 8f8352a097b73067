// SPDX-License-Identifier: Apache-2.0
//
// How the end of a task is reported: its final state, the reason and the message, in the words of
// Mesos's command executor.

#ifndef MESOS_LUA_AGENT_TASK_END_H
#define MESOS_LUA_AGENT_TASK_END_H

#include "agent/runner.h"

#include "mesos/v1/mesos.pb-c.h"

#include <stdbool.h>

// Why a task was to be killed.
enum task_end_cause {
    TASK_END_OWN,       // it was not: it ended by itself
    TASK_END_KILLED,    // a KILL, or its framework was removed
    TASK_END_TIMED_OUT, // its max_completion_time passed
    TASK_END_MEMORY,    // it used more memory than it had asked for
};

Mesos__V1__TaskState task_end_state(const struct runner_end *how, enum task_end_cause cause);
char *task_end_message(const struct runner_end *how); // to be freed

// Of a task that used more memory than `limit`, which is `used` of the runner's end; to be freed.
char *task_end_memory_message(uint64_t used, uint64_t limit);

// What an update says about that memory. The message points into the struct.
struct task_end_limitation {
    Mesos__V1__Value__Scalar megabytes;
    Mesos__V1__Resource resource, *resources[1];
    Mesos__V1__TaskResourceLimitation message;
};

void task_end_limitation(struct task_end_limitation *limitation, uint64_t used);

// The reason that updates carry once the task is to be killed. False: none.
bool task_end_reason(enum task_end_cause cause, Mesos__V1__TaskStatus__Reason *reason);

#endif
