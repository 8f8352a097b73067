// SPDX-License-Identifier: Apache-2.0
//
// An embedded master in virtual time: see virtual_cluster.h.

#include "bindings/testing/virtual_cluster.h"

#include "base/memory.h"
#include "master/role_weights.h"

#include <stdlib.h>

void virtual_cluster_create(struct virtual_cluster *cluster, struct loop *loop,
                            const struct cluster_plan *plan, runner_virtual_decide decide,
                            void *data)
{
    cluster->runner = runner_virtual_create(loop, decide, data);
    const struct master_options options = {.ip = "127.0.0.1",
                                           .port = VIRTUAL_CLUSTER_PORT,
                                           .hostname = "localhost",
                                           .region = plan->region,
                                           .zone = plan->zone,
                                           .work_dir = "/nowhere",
                                           .path = "/usr/bin:/bin",
                                           .containers = true,
                                           .runner = cluster->runner};
    cluster->master = master_create(loop, &options);
}

void virtual_cluster_add(struct virtual_cluster *cluster, const struct cluster_plan_group *group,
                         unsigned number)
{
    struct agent_description description;
    agent_description_copy(&description, &group->description);
    free(description.hostname);
    description.hostname = cluster_plan_hostname(group, number);
    cluster->count++;
    if (description.hostname == NULL && cluster->named)
        description.hostname = memory_format("agent-%u", cluster->count);
    master_add_agent(cluster->master, &group->resources, &description);
    agent_description_free(&description);
}

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

bool virtual_cluster_fill(struct virtual_cluster *cluster, const struct cluster_plan *plan,
                          struct error *err)
{
    for (size_t i = 0; i < plan->group_count; i++)
        for (unsigned number = 1; number <= plan->groups[i].count; number++)
            virtual_cluster_add(cluster, &plan->groups[i], number);
    for (size_t i = 0; i < plan->role_count; i++)
        if (!set_role(cluster->master, &plan->roles[i], err))
            return error_context(err, "roles.%s", plan->roles[i].name);
    return true;
}

void virtual_cluster_destroy(struct virtual_cluster *cluster)
{
    if (cluster->runner != NULL)
        cluster->runner->ops->destroy(cluster->runner);
    if (cluster->master != NULL)
        master_destroy(cluster->master);
}
