// SPDX-License-Identifier: Apache-2.0
//
// An agent as messages describe it: to executors that run on it, and its fault domain in offers.

#ifndef MESOS_LUA_MASTER_NODE_INFO_H
#define MESOS_LUA_MASTER_NODE_INFO_H

#include "master/master_records.h"

// A fault domain as a message; the names are borrowed.
struct node_info_domain {
    Mesos__V1__DomainInfo domain;
    Mesos__V1__DomainInfo__FaultDomain fault_domain;
    Mesos__V1__DomainInfo__FaultDomain__RegionInfo region;
    Mesos__V1__DomainInfo__FaultDomain__ZoneInfo zone;
};

// NULL if there is no region.
Mesos__V1__DomainInfo *node_info_domain(struct node_info_domain *message, char *region, char *zone);

// To be freed with mesos__v1__agent_info__free_unpacked().
Mesos__V1__AgentInfo *node_info(const struct node *node);

#endif
