// SPDX-License-Identifier: Apache-2.0
//
// The persistent volumes of a task: where their folders lie, and the links to them in its sandbox.

#ifndef MESOS_LUA_AGENT_TASK_VOLUMES_H
#define MESOS_LUA_AGENT_TASK_VOLUMES_H

#include "agent/runner.h"

#include "mesos/v1/mesos.pb-c.h"

struct task_volumes {
    struct runner_link *links;
    size_t count;
};

// Where an agent has its volumes.
struct task_volumes_place {
    struct runner *runner;
    const char *work_dir, *agent_id;
};

// The folder of a persistent volume: below the part of the work folder that belongs to the agent,
// or below the root of the disk that it is on; that root itself if the disk is a device (MOUNT).
// The resource is in the format of RESERVATION_REFINEMENT. free() it.
char *task_volumes_path(const char *work_dir, const char *agent_id,
                        const Mesos__V1__Resource *volume);

bool task_volumes_is_device(const Mesos__V1__Resource *volume);

// Finds the volumes among the resources of a task, in either format, and makes the folders that are
// not there. False, with the words of an agent, if a link would lead out of the sandbox or a folder
// cannot be made. Free them in any case.
bool task_volumes_prepare(struct task_volumes *volumes, const struct task_volumes_place *place,
                          Mesos__V1__Resource *const *resources, size_t count, struct error *err);
void task_volumes_free(struct task_volumes *volumes);

// Moves the links of `from`, which is empty then, to `to`. Those that are there already are
// dropped.
void task_volumes_move(struct task_volumes *to, struct task_volumes *from);
void task_volumes_remove(struct task_volumes *volumes, size_t index);

#endif
