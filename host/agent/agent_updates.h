// SPDX-License-Identifier: Apache-2.0
//
// What is reported of a task: each report is an update, which the task's framework acknowledges. Of
// a silent executor nothing is reported.

#ifndef MESOS_LUA_AGENT_AGENT_UPDATES_H
#define MESOS_LUA_AGENT_AGENT_UPDATES_H

#include "agent/agent_records.h"

// The container that an update names.
struct agent_updates_container {
    const char *id;
    const char *parent_id; // NULL: it is not nested
    int64_t pid;           // of its first process; 0: none
};

// Fills in what updates that an executor inside the agent makes have in common: the ids, a uuid,
// the time, source and container. Then as agent_updates_add().
void agent_updates_of_executor(struct agent_task *task, Mesos__V1__TaskStatus *status,
                               const struct agent_updates_container *container);

// An update that a program has made: its container is filled in as far as it is not said. Then as
// agent_updates_add().
void agent_updates_of_program(struct agent_task *task, Mesos__V1__TaskStatus *status,
                              const struct agent_updates_container *container);

// An update of the agent itself.
void agent_updates_of_agent(struct agent_task *task, Mesos__V1__TaskState state,
                            Mesos__V1__TaskStatus__Reason reason, const char *message);

// The same; the status has a state and what is particular about it.
void agent_updates_of_agent_with(struct agent_task *task, Mesos__V1__TaskStatus *status);

// A complete update, with a uuid: it is queued, and the task enters its state.
void agent_updates_add(struct agent_task *task, const Mesos__V1__TaskStatus *status);

#endif
