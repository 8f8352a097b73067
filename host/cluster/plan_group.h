// SPDX-License-Identifier: Apache-2.0
//
// A group of agents in a description: see cluster_plan.h for its keys.

#ifndef MESOS_LUA_CLUSTER_PLAN_GROUP_H
#define MESOS_LUA_CLUSTER_PLAN_GROUP_H

#include "cluster/cluster_plan.h"
#include "cluster/plan_field.h"

// Fills a zeroed group, of at most so many agents. What is there on failure has to be freed as
// well.
bool plan_group_read(const struct plan_field *field, struct cluster_plan_group *group,
                     unsigned most, struct error *err);

// "region" and "zone" of a fault domain; both are needed.
struct plan_domain {
    char *region, *zone;
};
bool plan_group_domain(const struct plan_field *field, struct plan_domain *domain,
                       struct error *err);

// ---- plan_resources.c ----

// Adds the resources of any form to those of the group.
bool plan_resources_read(const struct plan_field *field, struct cluster_plan_group *group,
                         struct error *err);

#endif
