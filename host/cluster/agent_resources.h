// SPDX-License-Identifier: Apache-2.0
//
// The resources of an agent of the local cluster: those that were given, and the machine's for what
// these do not name, as with a real agent.

#ifndef MESOS_LUA_CLUSTER_AGENT_RESOURCES_H
#define MESOS_LUA_CLUSTER_AGENT_RESOURCES_H

#include "offers/resources.h"

// The machine whose resources the agents share in equal parts.
struct agent_machine {
    unsigned agents;
    const char *work_dir; // on the disk whose space is shared
};

// Reads what is given, unreserved or reserved to `role`, as resources_parse() does; GPUs are whole.
// On failure the list is empty.
bool agent_resources_parse(struct resources *list, const char *text, const char *role,
                           struct error *err);

// Adds what agent number `part`, from 0, has of the machine: of each kind that `text` does not
// name, not even as 0 or empty.
void agent_resources_complete(struct resources *list, const char *text,
                              const struct agent_machine *machine, unsigned part);

#endif
