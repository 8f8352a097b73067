// SPDX-License-Identifier: Apache-2.0
//
// The roles of a description, given to a master: see plan_roles.h.

#include "cluster/plan_roles.h"

#include "master/role_weights.h"

static bool set_role(struct master *master, const struct cluster_plan_role *role, struct error *err)
{
    const struct role_weight weight = {role->name, role->weight};
    const struct role_quota_config quota = {.role = role->name,
                                            .guarantees = role->guarantees,
                                            .guarantee_count = role->guarantee_count,
                                            .limits = role->limits,
                                            .limit_count = role->limit_count};
    bool has_quota = role->guarantee_count > 0 || role->limit_count > 0;
    return (role->weight == 0 || role_weights_update(master, &weight, 1, err)) &&
           (!has_quota || role_quota_update(master, &quota, 1, false, err));
}

bool plan_roles_set(const struct cluster_plan *plan, struct master *master, struct error *err)
{
    for (size_t i = 0; i < plan->role_count; i++)
        if (!set_role(master, &plan->roles[i], err))
            return error_context(err, "roles.%s", plan->roles[i].name);
    return true;
}
