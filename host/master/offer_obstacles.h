// SPDX-License-Identifier: Apache-2.0
//
// Why a framework is offered something, or nothing.

#ifndef MESOS_LUA_MASTER_OFFER_OBSTACLES_H
#define MESOS_LUA_MASTER_OFFER_OBSTACLES_H

#include "master/master_records.h"

// What prevents an offer of `resources`, which are those that are free on the node for that role.
enum obstacle offer_obstacles_find(struct master_framework *framework, const struct role *role,
                                   const struct node *node, const struct resources *resources);

// Logs why a framework has no offers, once for each reason. To be called after each round.
void offer_obstacles_log(struct master_framework *framework);

// Why it has no offers, as a sentence; NULL if it has some, or is not connected. free() it.
char *offer_obstacles_text(const struct master_framework *framework);

#endif
