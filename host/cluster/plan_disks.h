// SPDX-License-Identifier: Apache-2.0
//
// The folders of the disks of a description: see cluster_plan.h for the key "disk".

#ifndef MESOS_LUA_CLUSTER_PLAN_DISKS_H
#define MESOS_LUA_CLUSTER_PLAN_DISKS_H

#include "cluster/cluster_plan.h"

// False, and `err`, if a folder would be a disk of two agents, or two disks one of which is of type
// MOUNT: destroying a volume there would take the other's files.
bool plan_disks_check(const struct cluster_plan *plan, struct error *err);

#endif
