// SPDX-License-Identifier: Apache-2.0
//
// What a master knows of an agent's executors; see the header.

#include "master/node_executors.h"

void node_executors_forget(struct node *node, const struct master_framework *framework)
{
    for (struct master_executor *executor = TAILQ_FIRST(&node->executors), *next; executor != NULL;
         executor = next) {
        next = TAILQ_NEXT(executor, of_node);
        if (framework == NULL || executor->framework == framework)
            master_records_remove_executor(executor);
    }
}

// The role that its resources are allocated to.
static const char *role_of(const Mesos__V1__ExecutorInfo *info)
{
    for (size_t i = 0; i < info->n_resources; i++)
        if (info->resources[i]->allocation_info != NULL)
            return info->resources[i]->allocation_info->role;
    return NULL;
}

static void learn(void *data, const char *framework_id, const Mesos__V1__ExecutorInfo *info)
{
    struct node *node = data;
    struct master_framework *framework = master_records_framework(node->master, framework_id);
    const char *role = role_of(info);
    struct resources resources = {0};
    if (framework == NULL ||
        master_records_executor(framework, node, info->executor_id->value) != NULL)
        return;
    if (role == NULL && framework->role_count > 0)
        role = framework->roles[0].name;
    for (size_t i = 0; i < info->n_resources; i++)
        resources_add_message(&resources, info->resources[i]);
    if (role != NULL)
        master_records_add_executor(framework, node, role, info, &resources);
    resources_free(&resources);
}

void node_executors_learn(struct node *node)
{
    for (struct master_executor *executor = TAILQ_FIRST(&node->executors), *next; executor != NULL;
         executor = next) {
        next = TAILQ_NEXT(executor, of_node);
        if (!agent_has_executor(node->agent, executor->framework->id,
                                executor->info->executor_id->value))
            master_records_remove_executor(executor);
    }
    agent_each_executor(node->agent, learn, node);
}
