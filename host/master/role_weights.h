// SPDX-License-Identifier: Apache-2.0
//
// Weights of roles, as operators set them. A role with weight 2 gets twice the share of one with
// weight 1, which is the default. To list them, walk the roles of the master's tree (role_tree.h):
// `weighted` says that a weight was set, `claim.weight` which.

#ifndef MESOS_LUA_MASTER_ROLE_WEIGHTS_H
#define MESOS_LUA_MASTER_ROLE_WEIGHTS_H

#include "master/master_records.h"

struct role_weight {
    const char *role; // blanks around it do not count
    double weight;
};

// Sets all of them or, with an error in the words of a master (status 400), none. If a framework is
// in one of the roles, all offers are rescinded.
bool role_weights_update(struct master *master, const struct role_weight *weights, size_t count,
                         struct error *err);

#endif
