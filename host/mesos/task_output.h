// SPDX-License-Identifier: Apache-2.0
//
// What a task printed: a piece of a file of its sandbox, from the agent that has it. The master is
// asked where the agent is, and the agent's v1 operator API for the file, at the path that agents
// give the latest run of an executor, or the task's own folder in it. Both are asked with the
// credentials of the framework.

#ifndef MESOS_LUA_MESOS_TASK_OUTPUT_H
#define MESOS_LUA_MESOS_TASK_OUTPUT_H

#include "base/bytes.h"
#include "base/error.h"

struct driver;
struct task_output;

#define TASK_OUTPUT_MOST ((size_t)4 << 20) // bytes of a piece

struct task_output_request {
    struct slice task_id;
    const char *file; // a path in the sandbox, "stdout"
    int64_t offset;   // from its start, or, below 0, from its end
    size_t length;    // bytes wanted, up to TASK_OUTPUT_MOST
};

struct task_output_result {
    struct slice data;          // fewer bytes than were wanted only at the end of the file
    uint64_t offset;            // of the data
    uint64_t size;              // of the file
    const char *failure, *code; // NULL, or what went wrong, and "ENOENT", "ENOTFOUND", ...
};

// Starts it. `on_done` is called once, from the loop; the result is valid during the call. NULL,
// and the error, if the driver does not know where the task is. Everything is copied.
struct task_output *
task_output_start(struct driver *driver, const struct task_output_request *request,
                  void (*on_done)(void *data, const struct task_output_result *result), void *data,
                  struct error *err);

// Cancels it; `on_done` is not called then. Legal inside of it. NULL is fine.
void task_output_destroy(struct task_output *output);

#endif
