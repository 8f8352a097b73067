// SPDX-License-Identifier: Apache-2.0
//
// What the files of quota share, and no other file includes.

#ifndef MESOS_LUA_MASTER_ROLE_QUOTA_INTERNAL_H
#define MESOS_LUA_MASTER_ROLE_QUOTA_INTERNAL_H

#include "master/role_quota.h"

// A quota as it will be.
struct role_quota_change {
    const char *role;
    struct quota quota;
};

// ---- role_quota_check.c ----

bool role_quota_check(const struct role_quota_config *config, struct error *err);

// The config passed role_quota_check(); its names are added to the table.
bool role_quota_read(struct quantity_names *names, const struct role_quota_config *config,
                     struct quota *quota, struct error *err);

// ---- role_quota.c ----

// "'cpus:9' exceed cluster capacity 'cpus:4'" if the guarantees of all roles, after the changes,
// are more than the agents have; else NULL. free() it.
char *role_quota_overcommit(const struct master *master, const struct role_quota_change *changes,
                            size_t count);

// Sets it, without checks; the next rounds keep to it.
void role_quota_apply(struct master *master, const struct role_quota_change *change);

#endif
