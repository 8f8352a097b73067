// SPDX-License-Identifier: Apache-2.0
//
// A new agent: its node in the records, the agent itself, and what the master does with its
// reports.

#ifndef MESOS_LUA_MASTER_NODE_ARRIVAL_H
#define MESOS_LUA_MASTER_NODE_ARRIVAL_H

#include "agent/agent_description.h"
#include "offers/resources.h"

struct master;

// As master_add_agent().
void node_arrival_add(struct master *master, const struct resources *resources,
                      struct agent_description *description);

#endif
