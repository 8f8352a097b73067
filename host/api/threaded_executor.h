// SPDX-License-Identifier: Apache-2.0
//
// The executor driver of executor_driver.h for a program with several threads, in the environment
// that an agent has set.

#ifndef MESOS_LUA_API_THREADED_EXECUTOR_H
#define MESOS_LUA_API_THREADED_EXECUTOR_H

#include "api/threaded_driver.h"
#include "base/buffer.h"
#include "executor/executor_driver.h"

struct threaded_executor_options {
    struct uv_loop_s *uv; // NULL: a loop and a thread of its own
    bool groups;          // see struct executor_driver_options
};

// Called on the loop's thread. The driver may be destroyed in it. False: the program has no
// function for the event, and the usual is done.
typedef bool (*threaded_executor_callback)(void *data, const struct executor_event *event);

// Its operations are struct executor_operation.
struct threaded_driver *threaded_executor_create(const struct threaded_executor_options *options,
                                                 threaded_executor_callback callback, void *data,
                                                 struct error *err);

// An update (TaskStatus), or the data of a message for the scheduler.
struct executor_operation {
    bool update;
    struct buffer bytes;
};

struct executor_operation *threaded_executor_operation(bool update);
void threaded_executor_forget(struct executor_operation *operation); // one that is not submitted

// What an agent would refuse in a TaskStatus. On any thread.
bool threaded_executor_check(struct threaded_driver *driver, struct slice status,
                             struct error *err);

#endif
