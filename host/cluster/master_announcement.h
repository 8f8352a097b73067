// SPDX-License-Identifier: Apache-2.0
//
// What a master writes into its node in ZooKeeper: MasterInfo in JSON, as masters of Mesos do.

#ifndef MESOS_LUA_CLUSTER_MASTER_ANNOUNCEMENT_H
#define MESOS_LUA_CLUSTER_MASTER_ANNOUNCEMENT_H

#include "master/master.h"

// Of the master as it is known under this id at this port; free() it.
char *master_announcement(const struct master *master, const char *id, unsigned port);

#endif
