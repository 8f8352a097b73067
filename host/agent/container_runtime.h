// SPDX-License-Identifier: Apache-2.0
//
// The program that runs containers, podman or docker: what it can do here, its environment, and
// the containers that former hosts have left. Each container has a label that names the process
// that started it; those whose process is gone are removed at the start.

#ifndef MESOS_LUA_AGENT_CONTAINER_RUNTIME_H
#define MESOS_LUA_AGENT_CONTAINER_RUNTIME_H

#include "agent/task_command.h"
#include "loop/loop.h"
#include "loop/subprocess.h"

struct container_runtime;

// Asks the program what it can do; `ready` is called from the loop when it has answered, or failed.
struct container_runtime *container_runtime_create(struct loop *loop, const char *program,
                                                   void (*ready)(void *data), void *data);
void container_runtime_destroy(struct container_runtime *runtime);

bool container_runtime_ready(const struct container_runtime *runtime);
bool container_runtime_limits_cpus(const struct container_runtime *runtime);
bool container_runtime_limits_memory(const struct container_runtime *runtime);

const char *container_runtime_program(const struct container_runtime *runtime);
const char *container_runtime_label(const struct container_runtime *runtime); // "key=value"

// What the program gets from our environment: "NAME=value", NULL at the end.
const char *const *container_runtime_environment(const struct container_runtime *runtime);

// Runs the program with these words, NULL at the end, for its output, for as many nanoseconds at
// most (0: any). NULL and an error if too many processes are pending.
struct subprocess *
container_runtime_ask(struct container_runtime *runtime, const char *const *words, uint64_t timeout,
                      void (*on_end)(void *data, const struct subprocess_end *end), void *data,
                      struct error *err);

// How it ended, for an error: "Failed to run 'podman pull x': exited with status 1; stderr='...'".
char *container_runtime_failure(const struct container_runtime *runtime, const char *command,
                                const struct subprocess_end *end); // free() it

#endif
