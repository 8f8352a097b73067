// SPDX-License-Identifier: Apache-2.0
//
// The older calls for quota; see role_quota.h: a guarantee, given as resources, is the limit of the
// role as well.

#include "master/role_quota_internal.h"

#include "base/memory.h"
#include "master/master_internal.h"
#include "offers/role_name.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Resource Resource;

// ---- what is wrong with a guarantee ----

static bool check_resource(Resource **list, size_t at, struct error *err)
{
    const Resource *resource = list[at];
    if (resource->n_reservations > 0)
        return error_set(err, ERROR_INVALID, "QuotaInfo must not contain any ReservationInfo");
    if (resource->disk != NULL)
        return error_set(err, ERROR_INVALID, "QuotaInfo must not contain DiskInfo");
    if (resource->revocable != NULL)
        return error_set(err, ERROR_INVALID, "QuotaInfo must not contain RevocableInfo");
    if (resource->type != MESOS__V1__VALUE__TYPE__SCALAR)
        return error_set(err, ERROR_INVALID, "QuotaInfo must not include non-scalar resources");
    for (size_t i = 0; i < at; i++)
        if (strcmp(list[i]->name, resource->name) == 0)
            return error_set(err, ERROR_INVALID, "QuotaInfo contains duplicate resource name '%s'",
                             resource->name);
    return true;
}

static bool check_info(const char *role, Resource **guarantee, size_t count, struct error *err)
{
    if (!role_name_check(role, err))
        return error_context(err, "QuotaInfo with invalid role");
    if (count == 0)
        return error_set(err, ERROR_INVALID, "QuotaInfo with empty 'guarantee'");
    for (size_t i = 0; i < count; i++)
        if (!check_resource(guarantee, i, err))
            return false;
    return true;
}

static bool has_quota(const struct master *master, const char *name)
{
    const struct role_node *role = role_tree_find(&master->roles, name);
    return role != NULL && role->has_quota;
}

static bool check_set(const struct master *master, const char *role, Resource **guarantee,
                      size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!resource_check(guarantee[i], err))
            return error_context(err,
                                 "Failed to validate set quota request: QuotaInfo with invalid "
                                 "resource");
    if (!check_info(role, guarantee, count, err))
        return error_context(err, "Failed to validate set quota request");
    if (has_quota(master, role))
        return error_set(err, ERROR_INVALID,
                         "Failed to validate set quota request: Cannot set quota for role '%.300s' "
                         "which already has quota",
                         role);
    return strchr(role, '/') == NULL ||
           error_set(err, ERROR_INVALID,
                     "Setting quota on nested role '%.300s' is not supported yet", role);
}

// ---- offers that are in the way ----

static size_t connected_frameworks(const struct role_node *role)
{
    const struct role_member *member;
    size_t count = 0;
    TAILQ_FOREACH(member, &role->members, of_role)
    count += member->framework->connected;
    return count;
}

// All offers of an agent, and of so many agents that each framework of the role could be offered
// one, and all of them together what is guaranteed.
static void rescind_for(struct master *master, const struct role_node *role)
{
    struct quantities rescinded = {{0}};
    size_t frameworks = connected_frameworks(role), agents = 0;
    struct node *node;
    TAILQ_FOREACH(node, &master->nodes, link)
    {
        if (quantities_contain(&rescinded, &role->quota.guarantees) && agents >= frameworks)
            return;
        agents += !TAILQ_EMPTY(&node->offers);
        for (struct master_offer *offer; (offer = TAILQ_FIRST(&node->offers)) != NULL;) {
            struct quantities amount =
                quantities_of(&master->roles.names, &offer->resources, QUANTITIES_ALL);
            quantities_add(&rescinded, &amount);
            master_records_rescind_offer(offer);
        }
    }
}

// ---- SET_QUOTA and REMOVE_QUOTA ----

enum { GUARANTEES_MOST = 1000 };

static bool read_guarantee(struct master *master, Resource **guarantee, size_t count,
                           struct role_quota_change *change, struct error *err)
{
    struct role_quota_amount *amounts = memory_new(count * sizeof *amounts);
    for (size_t i = 0; i < count; i++)
        amounts[i] = (struct role_quota_amount){guarantee[i]->name, guarantee[i]->scalar->value};
    const struct role_quota_config config = {.role = change->role,
                                             .guarantees = amounts,
                                             .guarantee_count = count,
                                             .limits = amounts,
                                             .limit_count = count};
    bool good = role_quota_read(&master->roles.names, &config, &change->quota, err);
    free(amounts);
    return good;
}

static bool check_capacity(const struct master *master, const struct role_quota_change *change,
                           struct error *err)
{
    char *fault = role_quota_overcommit(master, change, 1);
    if (fault != NULL)
        error_set(err, ERROR_REFUSED,
                  "Quota guarantees overcommit the cluster (use 'force' to bypass this check): "
                  "Total quota guarantees %s",
                  fault);
    free(fault);
    return fault == NULL;
}

bool role_quota_set(struct master *master, const char *role, Resource **guarantee, size_t count,
                    bool force, struct error *err)
{
    struct role_quota_change change = {.role = role};
    size_t names = master->roles.names.count;
    if (count > GUARANTEES_MOST)
        return error_set(err, ERROR_LIMIT,
                         "The local cluster takes at most %d resources of a guarantee",
                         GUARANTEES_MOST);
    if (!check_set(master, role, guarantee, count, err) ||
        !read_guarantee(master, guarantee, count, &change, err) ||
        (!force && !check_capacity(master, &change, err))) {
        quantities_names_cut(&master->roles.names, names);
        return false;
    }
    role_quota_apply(master, &change);
    const struct role_node *node = role_tree_find(&master->roles, role);
    if (node != NULL)
        rescind_for(master, node);
    return true;
}

bool role_quota_remove(struct master *master, const char *role, struct error *err)
{
    const struct role_quota_change change = {.role = role};
    if (!has_quota(master, role))
        return error_set(err, ERROR_INVALID, "Role '%.300s' has no quota set", role);
    role_quota_apply(master, &change);
    return true;
}
