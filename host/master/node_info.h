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

// When an agent will be away, as a message.
struct node_info_unavailability {
    Mesos__V1__Unavailability unavailability;
    Mesos__V1__TimeInfo start;
    Mesos__V1__DurationInfo duration;
};

// NULL if nothing is scheduled.
Mesos__V1__Unavailability *node_info_unavailability(struct node_info_unavailability *message,
                                                    const struct node *node);

// Where an agent is reached; the texts are borrowed.
struct node_info_url {
    Mesos__V1__URL url;
    Mesos__V1__Address address;
};

Mesos__V1__URL *node_info_url(struct node_info_url *message, const struct node *node);

// To be freed with mesos__v1__agent_info__free_unpacked().
Mesos__V1__AgentInfo *node_info(const struct node *node);

#endif
