// SPDX-License-Identifier: Apache-2.0
//
// Messages about a node; see the header.

#include "master/node_info.h"

#include "master/machines.h"
#include "wire/message_copy.h"

Mesos__V1__DomainInfo *node_info_domain(struct node_info_domain *message, char *region, char *zone)
{
    if (region == NULL)
        return NULL;
    mesos__v1__domain_info__init(&message->domain);
    mesos__v1__domain_info__fault_domain__init(&message->fault_domain);
    mesos__v1__domain_info__fault_domain__region_info__init(&message->region);
    mesos__v1__domain_info__fault_domain__zone_info__init(&message->zone);
    message->region.name = region;
    message->zone.name = zone;
    message->fault_domain.region = &message->region;
    message->fault_domain.zone = &message->zone;
    message->domain.fault_domain = &message->fault_domain;
    return &message->domain;
}

Mesos__V1__Unavailability *node_info_unavailability(struct node_info_unavailability *message,
                                                    const struct node *node)
{
    const struct unavailability *plan = machines_plan(node);
    if (plan == NULL)
        return NULL;
    mesos__v1__unavailability__init(&message->unavailability);
    mesos__v1__time_info__init(&message->start);
    mesos__v1__duration_info__init(&message->duration);
    message->start.nanoseconds = plan->start;
    message->duration.nanoseconds = plan->duration;
    message->unavailability.start = &message->start;
    message->unavailability.duration = plan->has_duration ? &message->duration : NULL;
    return &message->unavailability;
}

Mesos__V1__URL *node_info_url(struct node_info_url *message, const struct node *node)
{
    struct master *master = node->master;
    mesos__v1__url__init(&message->url);
    mesos__v1__address__init(&message->address);
    message->address.hostname = node->hostname;
    message->address.ip = master->ip;
    message->address.port = (int32_t)master->port;
    message->url.scheme = "http";
    message->url.address = &message->address;
    message->url.path = "/slave(1)";
    return &message->url;
}

Mesos__V1__AgentInfo *node_info(const struct node *node)
{
    Mesos__V1__AgentInfo info = MESOS__V1__AGENT_INFO__INIT;
    Mesos__V1__AgentID id = MESOS__V1__AGENT_ID__INIT;
    struct node_info_domain domain;
    id.value = node->id;
    info.hostname = node->hostname;
    info.has_port = true;
    info.port = (int32_t)node->master->port;
    info.n_resources = node->total.count;
    info.resources = node->total.items;
    info.n_attributes = node->description.attribute_count;
    info.attributes = node->description.attributes;
    info.domain = node_info_domain(&domain, node->description.region, node->description.zone);
    info.id = &id;
    return message_copy(&info.base);
}
