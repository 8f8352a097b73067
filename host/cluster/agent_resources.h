// SPDX-License-Identifier: Apache-2.0
//
// The resources of an agent of the local cluster: those of a text, and the machine's for what the
// text does not name, as with a real agent.

#ifndef MESOS_LUA_CLUSTER_AGENT_RESOURCES_H
#define MESOS_LUA_CLUSTER_AGENT_RESOURCES_H

#include "offers/resources.h"

// The machine whose resources the agents share in equal parts.
struct agent_machine {
    unsigned agents;
    const char *work_dir; // on the disk whose space is shared
};

// The resources of agent number `part`, from 0. `text` may be NULL; the agent does not have what it
// names as 0 or empty. On failure the list is empty.
bool agent_resources(struct resources *list, const char *text, const struct agent_machine *machine,
                     unsigned part, struct error *err);

#endif
