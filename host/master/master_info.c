// SPDX-License-Identifier: Apache-2.0
//
// The description of a master; see the header.

#include "master/master_info.h"

#include "base/memory.h"
#include "master/master_records.h"

#include <stdio.h>
#include <stdlib.h>

static uint32_t ip_number(const char *ip)
{
    unsigned part[4];
    if (sscanf(ip, "%3u.%3u.%3u.%3u", &part[0], &part[1], &part[2], &part[3]) != 4)
        return 0;
    return part[0] | part[1] << 8 | part[2] << 16 | part[3] << 24;
}

static void set_abilities(struct master_info *info)
{
    static const Mesos__V1__MasterInfo__Capability__Type types[MASTER_INFO_ABILITIES] = {
        MESOS__V1__MASTER_INFO__CAPABILITY__TYPE__AGENT_UPDATE,
        MESOS__V1__MASTER_INFO__CAPABILITY__TYPE__AGENT_DRAINING,
        MESOS__V1__MASTER_INFO__CAPABILITY__TYPE__QUOTA_V2,
    };
    for (size_t i = 0; i < MASTER_INFO_ABILITIES; i++) {
        mesos__v1__master_info__capability__init(&info->abilities[i]);
        info->abilities[i].has_type = true;
        info->abilities[i].type = types[i];
        info->ability_list[i] = &info->abilities[i];
    }
    info->message.n_capabilities = MASTER_INFO_ABILITIES;
    info->message.capabilities = info->ability_list;
}

static void set_domain(struct master_info *info, const struct master *master)
{
    if (master->region == NULL)
        return;
    mesos__v1__domain_info__init(&info->domain);
    mesos__v1__domain_info__fault_domain__init(&info->fault_domain);
    mesos__v1__domain_info__fault_domain__region_info__init(&info->region);
    mesos__v1__domain_info__fault_domain__zone_info__init(&info->zone);
    info->region.name = master->region;
    info->zone.name = master->zone;
    info->fault_domain.region = &info->region;
    info->fault_domain.zone = &info->zone;
    info->domain.fault_domain = &info->fault_domain;
    info->message.domain = &info->domain;
}

void master_info_fill(struct master_info *info, const struct master *master)
{
    mesos__v1__master_info__init(&info->message);
    mesos__v1__address__init(&info->address);
    info->address.hostname = master->hostname;
    info->address.ip = master->ip;
    info->address.port = (int32_t)master->port;
    info->message.id = (char *)(uintptr_t)master->id;
    info->message.ip = ip_number(master->ip);
    info->message.port = master->port;
    info->message.pid = memory_format("master@%s:%u", master->ip, master->port);
    info->message.hostname = master->hostname;
    info->message.version = MASTER_VERSION;
    info->message.address = &info->address;
    set_domain(info, master);
    set_abilities(info);
}

void master_info_free(struct master_info *info)
{
    free(info->message.pid);
}
