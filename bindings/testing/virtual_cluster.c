// SPDX-License-Identifier: Apache-2.0
//
// An embedded master in virtual time: see virtual_cluster.h.

#include "bindings/testing/virtual_cluster.h"

#include "base/memory.h"
#include "cluster/plan_roles.h"

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

bool virtual_cluster_fill(struct virtual_cluster *cluster, const struct cluster_plan *plan,
                          struct error *err)
{
    for (size_t i = 0; i < plan->group_count; i++)
        for (unsigned number = 1; number <= plan->groups[i].count; number++)
            virtual_cluster_add(cluster, &plan->groups[i], number);
    return plan_roles_set(plan, cluster->master, err);
}

void virtual_cluster_destroy(struct virtual_cluster *cluster)
{
    if (cluster->runner != NULL)
        cluster->runner->ops->destroy(cluster->runner);
    if (cluster->master != NULL)
        master_destroy(cluster->master);
}
