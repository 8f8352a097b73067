// SPDX-License-Identifier: Apache-2.0
//
// Quota of top-level roles, as operators set it: guarantees, which are kept free for the role, and
// limits, above which it is offered nothing. To list them, walk the roles of the master's tree
// (role_tree.h): `has_quota` says that one was set, `quota` which; `names` of the tree has the
// names of its numbers.
//
// Each function changes everything or, with an error in the words of a master, nothing. The error
// is the body of an answer with status 400, unless its code is ERROR_REFUSED: then it is 409.

#ifndef MESOS_LUA_MASTER_ROLE_QUOTA_H
#define MESOS_LUA_MASTER_ROLE_QUOTA_H

#include "master/master_records.h"

struct role_quota_amount {
    const char *name; // of a scalar resource
    double value;
};

struct role_quota_config {
    const char *role;
    const struct role_quota_amount *guarantees, *limits;
    size_t guarantee_count, limit_count; // both 0: the role has no quota any more
};

// The call UPDATE_QUOTA. Offers are rescinded as the new limits and guarantees need it.
bool role_quota_update(struct master *master, const struct role_quota_config *configs, size_t count,
                       bool force, struct error *err);

// The older SET_QUOTA, and POST to /quota: a guarantee that is the limit as well. REMOVE_QUOTA, and
// DELETE of /quota/ROLE; its errors begin after "Failed to remove quota ...: ".
bool role_quota_set(struct master *master, const char *role, Mesos__V1__Resource **guarantee,
                    size_t count, bool force, struct error *err);
bool role_quota_remove(struct master *master, const char *role, struct error *err);

// What the role and those below it use or have reserved, without what is only offered.
struct quantities role_quota_consumed(const struct master *master, const char *role);

#endif
