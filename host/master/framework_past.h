// SPDX-License-Identifier: Apache-2.0
//
// The past of a framework, which outlives it in the list of completed frameworks: when it came and
// went, and the tasks that it no longer has. The oldest ones make room.

#ifndef MESOS_LUA_MASTER_FRAMEWORK_PAST_H
#define MESOS_LUA_MASTER_FRAMEWORK_PAST_H

#include "master/task_record.h"

#define FRAMEWORK_PAST_TASKS 1000 // of each kind, as a master's flags have it

struct past_tasks {
    struct task_records list; // the oldest first
    size_t count;
};

struct framework_past {
    double registered, reregistered, unregistered; // seconds since the epoch; 0: never
    struct past_tasks completed, unreachable;
};

void framework_past_init(struct framework_past *past);
void framework_past_free(struct framework_past *past);

// What `from` has goes to `to`, which is not initialised before; `from` is empty then.
void framework_past_move(struct framework_past *to, struct framework_past *from);

void framework_past_add(struct past_tasks *tasks, struct task_record *record); // takes it

// Takes the task of that id out of the list, to be destroyed by the caller, or NULL.
struct task_record *framework_past_take(struct past_tasks *tasks, const char *id);

#endif
