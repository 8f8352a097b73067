// SPDX-License-Identifier: Apache-2.0
//
// Why a framework is offered something, or nothing.

#ifndef MESOS_LUA_MASTER_OFFER_OBSTACLES_H
#define MESOS_LUA_MASTER_OFFER_OBSTACLES_H

#include "master/master_records.h"

// Logs why a framework has no offers, once for each reason. To be called after each round.
void offer_obstacles_log(struct master_framework *framework);

// Why it has no offers, as a sentence; NULL if it has some, or is not connected. free() it.
char *offer_obstacles_text(const struct master_framework *framework);

#endif
