// SPDX-License-Identifier: Apache-2.0
//
// Gives a master the weights and quota of the roles in a description (cluster_plan.h).

#ifndef MESOS_LUA_CLUSTER_PLAN_ROLES_H
#define MESOS_LUA_CLUSTER_PLAN_ROLES_H

#include "cluster/cluster_plan.h"
#include "master/master.h"

// When its agents are there, which quota is compared with. The error names the role.
bool plan_roles_set(const struct cluster_plan *plan, struct master *master, struct error *err);

#endif
