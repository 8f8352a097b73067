// SPDX-License-Identifier: Apache-2.0
//
// What a master says of itself, as a message. It points into the master and into its own struct.

#ifndef MESOS_LUA_MASTER_MASTER_INFO_H
#define MESOS_LUA_MASTER_MASTER_INFO_H

#include "mesos/v1/mesos.pb-c.h"

struct master;

enum { MASTER_INFO_ABILITIES = 3 };

struct master_info {
    Mesos__V1__MasterInfo message;
    Mesos__V1__Address address;
    Mesos__V1__MasterInfo__Capability abilities[MASTER_INFO_ABILITIES],
        *ability_list[MASTER_INFO_ABILITIES];
    Mesos__V1__DomainInfo domain;
    Mesos__V1__DomainInfo__FaultDomain fault_domain;
    Mesos__V1__DomainInfo__FaultDomain__RegionInfo region;
    Mesos__V1__DomainInfo__FaultDomain__ZoneInfo zone;
};

void master_info_fill(struct master_info *info, const struct master *master);
void master_info_free(struct master_info *info);

#endif
