// SPDX-License-Identifier: Apache-2.0
//
// The registry of tasks as Lua sees it. A list of tasks is a question, driver:tasks { state = ...
// }: it has a length, and it is the iterator of a loop. A loop goes over the tasks that matched
// when it began, by their handles, and passes over those that do not match any more when it comes
// to them, so a task may change, come or go in it, and no task is an object before its turn. A
// task is a read-only copy of what was known of it then.

#ifndef MESOS_LUA_BINDINGS_SCHEDULER_TASK_LIST_H
#define MESOS_LUA_BINDINGS_SCHEDULER_TASK_LIST_H

#include "base/buffer.h"
#include "tasks/tasks.h"

#include <lua.h>

// Pushes the list for the filter table at `filter`, nil being all active tasks, and what a generic
// `for` wants behind it, so that it closes the list. The driver object is at `driver`. Raises on
// what is wrong with the filter. // [-0, +4, e]
int task_list_push(lua_State *L, int driver, int filter);

// If there is a list at `index`, appends its tasks, as they are now, as a Call.Reconcile, and sets
// `count` to their number. False if there is none. // [-0, +0, e]
bool task_list_reconcile(lua_State *L, int index, struct buffer *call, size_t *count);

// If there is a list at `index`, pushes a plain list of the first of its tasks, for a person. A
// loop over it ends. // [-0, +1|0, e]
bool task_list_push_shown(lua_State *L, int index);

// Pushes a copy of what is known of the task. // [-0, +1, m]
void task_list_push_task(lua_State *L, const struct tasks *tasks, const struct task *task);

// Pushes one of which nothing is known, for mesos-lua check. // [-0, +1, m]
void task_list_push_sample(lua_State *L);

// Pushes a table of the active tasks, how many there are in each state. // [-0, +1, m]
void task_list_push_counts(lua_State *L, const struct tasks *tasks);

// Called by driver_methods_open(). // [-0, +0, e]
void task_list_open(lua_State *L);

#endif
