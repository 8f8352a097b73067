// SPDX-License-Identifier: Apache-2.0
//
// What is used and offered, and how many tasks are in which state, of agents and frameworks: sums
// over the records of the master, made for one document.

#ifndef MESOS_LUA_OPERATOR_USAGE_H
#define MESOS_LUA_OPERATOR_USAGE_H

#include "master/master_records.h"

struct usage {
    struct resources used, offered; // with their allocations
    size_t states[HISTORY_STATES];  // how many tasks, completed and unreachable ones too
};

// Of all agents, by their numbers.
struct node_usages {
    struct usage *items;
    size_t count;
};

void usage_of_framework(struct usage *usage, const struct master_framework *framework);
void usage_of_nodes(struct node_usages *usages, const struct master *master);
const struct usage *usage_of_node(const struct node_usages *usages, const struct node *node);

void usage_free(struct usage *usage);
void usage_free_nodes(struct node_usages *usages);

#endif
