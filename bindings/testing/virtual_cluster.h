// SPDX-License-Identifier: Apache-2.0
//
// An embedded master in virtual time: with agents as a --cluster file describes them, but without
// what this machine has, and tasks that only last.

#ifndef MESOS_LUA_BINDINGS_TESTING_VIRTUAL_CLUSTER_H
#define MESOS_LUA_BINDINGS_TESTING_VIRTUAL_CLUSTER_H

#include "agent/runner_virtual.h"
#include "cluster/cluster_plan.h"
#include "master/master.h"

#define VIRTUAL_CLUSTER_PORT 5050 // of the master, which nothing listens on

struct virtual_cluster {
    struct runner *runner; // both NULL: there is none
    struct master *master;
    bool named;     // agents without a host name have names of their own: agent-1, agent-2, ...
    unsigned count; // of the agents that it was given, of all groups
};

// Makes the master, without agents; `named` may be set after it. `decide` says how long tasks last.
void virtual_cluster_create(struct virtual_cluster *cluster, struct loop *loop,
                            const struct cluster_plan *plan, runner_virtual_decide decide,
                            void *data);

// Gives it the agents and roles of the plan.
bool virtual_cluster_fill(struct virtual_cluster *cluster, const struct cluster_plan *plan,
                          struct error *err);

// One more agent, with that number in the group, from 1.
void virtual_cluster_add(struct virtual_cluster *cluster, const struct cluster_plan_group *group,
                         unsigned number);

void virtual_cluster_destroy(struct virtual_cluster *cluster); // also one that has no master

#endif
