// SPDX-License-Identifier: Apache-2.0
//
// What an operator may see of the tasks of a framework: the list, and what a task printed.

#ifndef MESOS_LUA_OPS_TASK_COMMANDS_H
#define MESOS_LUA_OPS_TASK_COMMANDS_H

#include "base/buffer.h"
#include "mesos/driver.h"
#include "ops/control.h"

struct task_commands;

struct task_commands *task_commands_create(void);
void task_commands_destroy(struct task_commands *commands); // answers what waits; NULL is fine

// Appends a line for each task, or for those in the states of `words`: "running staging". False and
// the error if one of them is no state.
bool task_commands_list(struct driver *driver, struct slice words, struct buffer *out,
                        struct error *err);

// Answers the request with a piece of a file of a task's sandbox: `words` is "TASK [FILE
// [OFFSET]]". The reply has the `output`, the `offset` behind it, the `size` of the file, and
// whether the task is `over`. What is not UTF-8 is escaped.
void task_commands_output(struct task_commands *commands, struct driver *driver, struct slice words,
                          struct control_request *request);

#endif
