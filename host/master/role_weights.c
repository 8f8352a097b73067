// SPDX-License-Identifier: Apache-2.0
//
// Weights of roles; see the header.

#include "master/role_weights.h"

#include "base/memory.h"
#include "offers/role_name.h"

#include <stdlib.h>
#include <string.h>

// The roles without the blanks around them; free() each, and the list.
static char **trim_roles(const struct role_weight *weights, size_t count)
{
    static const char blanks[] = " \t\n\r";
    char **roles = memory_new((count + 1) * sizeof *roles);
    for (size_t i = 0; i < count; i++) {
        const char *start = weights[i].role + strspn(weights[i].role, blanks);
        size_t length = strlen(start);
        while (length > 0 && strchr(blanks, start[length - 1]) != NULL)
            length--;
        roles[i] = memory_text(start, length);
    }
    return roles;
}

static bool check(const char *role, double weight, struct error *err)
{
    if (!role_name_check(role, err))
        return error_context(
            err, "Failed to validate update weights request JSON: Invalid role '%.300s'", role);
    return weight > 0 ||
           error_set(err, ERROR_INVALID,
                     "Failed to validate update weights request JSON for role '%.300s': Invalid "
                     "weight '%g': Weights must be positive",
                     role, weight);
}

static bool has_frameworks(const struct master *master, const char *name)
{
    const struct role_node *role = role_tree_find(&master->roles, name);
    return role != NULL && !TAILQ_EMPTY(&role->members);
}

static void rescind_all(struct master *master)
{
    struct node *node;
    TAILQ_FOREACH(node, &master->nodes, link)
    while (!TAILQ_EMPTY(&node->offers))
        master_records_rescind_offer(TAILQ_FIRST(&node->offers));
}

// Roles that have a weight stay.
enum { ROLES_MOST = 10000 };

static size_t count_roles(const struct role_tree *tree)
{
    size_t count = 0;
    const struct role_node *role;
    TAILQ_FOREACH(role, &tree->roles, link)
    count++;
    return count;
}

bool role_weights_update(struct master *master, const struct role_weight *weights, size_t count,
                         struct error *err)
{
    char **roles = trim_roles(weights, count);
    bool good = true, rescind = false;
    for (size_t i = 0; i < count && good; i++)
        good = check(roles[i], weights[i].weight, err);
    if (good && count_roles(&master->roles) + count > ROLES_MOST)
        good = error_set(err, ERROR_LIMIT, "The local cluster has at most %d roles", ROLES_MOST);
    for (size_t i = 0; i < count && good; i++) {
        role_tree_set_weight(&master->roles, roles[i], weights[i].weight);
        rescind = rescind || has_frameworks(master, roles[i]);
    }
    if (rescind)
        rescind_all(master);
    for (size_t i = 0; i < count; i++)
        free(roles[i]);
    free(roles);
    return good;
}
