// SPDX-License-Identifier: Apache-2.0
//
// The command lines of containers: a task with an image as the words of `podman run` or
// `docker run`, as the agent of Mesos makes them, and a check as those of `exec`.

#ifndef MESOS_LUA_AGENT_CONTAINER_COMMAND_H
#define MESOS_LUA_AGENT_CONTAINER_COMMAND_H

#include "agent/runner.h"
#include "agent/task_command.h"

#include "mesos/v1/mesos.pb-c.h"

#define CONTAINER_COMMAND_SANDBOX "/mnt/mesos/sandbox" // where a container has it

struct container_command {
    struct runner_container container; // what it points to is the command's, and the task's
    struct task_words words, folders;
    char *name;
};

// The name of the image that a task runs in; NULL: it is a process of this machine.
const char *container_command_image(const Mesos__V1__ContainerInfo *container);

// True if the task runs in a network of its own, where this machine does not reach its ports.
bool container_command_own_network(const Mesos__V1__ContainerInfo *container);

// What a real agent finds wrong with such a task when it starts it, and what runtimes other than
// Docker do not have. The agent has found an image.
bool container_command_check(const Mesos__V1__TaskInfo *info, struct error *err);

// The container of a task in that sandbox, whose last part is the id of the container. Free it with
// container_command_free().
void container_command_run(struct container_command *command, const Mesos__V1__TaskInfo *info,
                           const struct task_words *environment, const char *sandbox);

// Another command in that container.
void container_command_exec(struct container_command *command, const Mesos__V1__TaskInfo *info,
                            const Mesos__V1__CommandInfo *check, const char *sandbox);
void container_command_free(struct container_command *command);

#endif
