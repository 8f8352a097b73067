// SPDX-License-Identifier: Apache-2.0
//
// The runner of containers (runner.h): commands with an image run by podman or docker, the others
// by a runner of processes below it. A container is a client process of that runtime, whose output
// goes to the sandbox, and what other commands of the runtime do with the container: its image is
// looked for, and fetched if it is missing; signals are sent to it; it is removed in the end.

#ifndef MESOS_LUA_AGENT_RUNNER_CONTAINER_H
#define MESOS_LUA_AGENT_RUNNER_CONTAINER_H

#include "agent/runner.h"
#include "loop/loop.h"

// `program` is "podman", "docker", or a path to one of them. Owns the runner of processes. It is
// destroyed as any runner; containers that run then stay, and the next cluster removes them.
struct runner *runner_container_create(struct loop *loop, const char *program,
                                       struct runner *processes);

#endif
