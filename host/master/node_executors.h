// SPDX-License-Identifier: Apache-2.0
//
// The executors of an agent in the books of the master, when the agent is lost or comes back.

#ifndef MESOS_LUA_MASTER_NODE_EXECUTORS_H
#define MESOS_LUA_MASTER_NODE_EXECUTORS_H

#include "master/master_records.h"

// The master forgets those of the framework, or all for NULL.
void node_executors_forget(struct node *node, const struct master_framework *framework);

// The agent has registered again: the master learns which executors it has.
void node_executors_learn(struct node *node);

#endif
