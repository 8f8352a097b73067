// SPDX-License-Identifier: Apache-2.0
//
// Quota of roles; see the header. The order of the checks is that of a master.

#include "master/role_quota.h"

#include "base/log.h"
#include "base/memory.h"
#include "master/master_internal.h"
#include "master/role_quota_internal.h"
#include "offers/role_name.h"

#include <stdlib.h>
#include <string.h>

typedef struct role_quota_config Config;
typedef struct role_quota_change Change;

// ---- limits ----

static bool is_in_limits(const struct quota *quota, const struct quantities *amount)
{
    for (size_t i = 0; i < QUANTITIES_NAMES; i++)
        if ((quota->limited & 1u << i) != 0 && amount->amount[i] > quota->limits.amount[i])
            return false;
    return true;
}

static char *limits_text(const struct quantity_names *names, const struct quota *quota)
{
    return quota->limited == 0 ? memory_string("{}") : quantities_text(names, &quota->limits);
}

// ---- consumption ----

static bool lies_in(const char *role, const char *outer)
{
    return strcmp(role, outer) == 0 || role_name_below(role, outer);
}

struct quantities role_quota_consumed(const struct master *master, const char *name)
{
    const struct role_node *role = role_tree_find(&master->roles, name);
    struct quantities consumed = {{0}};
    if (role == NULL)
        return consumed;
    consumed = role_tree_consumed(role);
    const struct master_framework *framework;
    const struct master_offer *offer;
    TAILQ_FOREACH(framework, &master->frameworks, link)
    TAILQ_FOREACH(offer, &framework->offers, of_framework)
    if (lies_in(offer->role, name)) {
        struct quantities offered =
            quantities_of(&master->roles.names, &offer->resources, QUANTITIES_FREE);
        quantities_subtract(&consumed, &offered);
    }
    return consumed;
}

static bool check_consumption(const struct master *master, const char *role,
                              const struct quota *quota, bool force, struct error *err)
{
    struct quantities consumed = role_quota_consumed(master, role);
    if (force || is_in_limits(quota, &consumed))
        return true;
    char *used = quantities_text(&master->roles.names, &consumed);
    char *limits = limits_text(&master->roles.names, quota);
    error_set(err, ERROR_INVALID,
              "Invalid QuotaConfig: Role '%.300s' is already consuming '%s'; this is more than the "
              "requested limits '%s' (use 'force' flag to bypass this check)",
              role, used, limits);
    free(used);
    free(limits);
    return false;
}

// ---- the cluster's capacity ----

static struct quantities capacity_of(const struct master *master)
{
    struct quantities capacity = {{0}};
    const struct node *node;
    TAILQ_FOREACH(node, &master->nodes, link)
    {
        const struct quantity_names *names = &master->roles.names;
        struct quantities open = quantities_of(names, &node->total, QUANTITIES_FREE);
        struct quantities reserved = quantities_of(names, &node->total, QUANTITIES_RESERVED);
        quantities_add(&capacity, &open);
        quantities_add(&capacity, &reserved);
    }
    return capacity;
}

enum { CONFIGS_MOST = 1000 }; // of a call: each is compared with each

static const Change *find_change(const Change *changes, size_t count, const char *role)
{
    const Change *found = NULL;
    for (size_t i = 0; i < count; i++)
        if (strcmp(changes[i].role, role) == 0)
            found = &changes[i]; // the last one holds
    return found;
}

static struct quantities all_guarantees(const struct master *master, const Change *changes,
                                        size_t count)
{
    struct quantities sum = {{0}};
    const struct role_node *role;
    TAILQ_FOREACH(role, &master->roles.guaranteed, of_guaranteed)
    if (find_change(changes, count, role->name) == NULL)
        quantities_add(&sum, &role->quota.guarantees);
    for (size_t i = 0; i < count; i++)
        if (find_change(changes, count, changes[i].role) == &changes[i])
            quantities_add(&sum, &changes[i].quota.guarantees);
    return sum;
}

char *role_quota_overcommit(const struct master *master, const Change *changes, size_t count)
{
    struct quantities sum = all_guarantees(master, changes, count);
    struct quantities capacity = capacity_of(master);
    if (quantities_contain(&capacity, &sum))
        return NULL;
    char *guarantees = quantities_text(&master->roles.names, &sum);
    char *has = quantities_text(&master->roles.names, &capacity);
    char *text = memory_format("'%s' exceed cluster capacity '%s'", guarantees, has);
    free(guarantees);
    free(has);
    return text;
}

// ---- applying ----

void role_quota_apply(struct master *master, const Change *change)
{
    struct role_tree *tree = &master->roles;
    struct role_node *role = role_tree_make(tree, change->role);
    if (role->quota.guaranteed)
        TAILQ_REMOVE(&tree->guaranteed, role, of_guaranteed);
    role->quota = change->quota;
    role->has_quota = change->quota.guaranteed || change->quota.limited != 0;
    if (role->quota.guaranteed)
        TAILQ_INSERT_TAIL(&tree->guaranteed, role, of_guaranteed);
    char *guarantees = quantities_text(&tree->names, &change->quota.guarantees);
    char *limits = limits_text(&tree->names, &change->quota);
    log_debug("quota of role '%s': guarantees %s, limits %s", change->role, guarantees, limits);
    free(guarantees);
    free(limits);
    role_tree_drop(tree, role);
    node_turns_wait_all(master);
}

static struct quantities rescind(struct master_offer *offer)
{
    struct quantities all =
        quantities_of(&offer->framework->master->roles.names, &offer->resources, QUANTITIES_ALL);
    master_records_rescind_offer(offer);
    return all;
}

// The role's own offers, until it is within its limits. Returns what it consumes and is offered.
static struct quantities rescind_own(struct master *master, const Change *change)
{
    const struct role_node *role = role_tree_find(&master->roles, change->role);
    struct quantities has = role ? role_tree_consumed(role) : (struct quantities){{0}};
    struct master_framework *framework;
    TAILQ_FOREACH(framework, &master->frameworks, link)
    for (struct master_offer *offer = TAILQ_FIRST(&framework->offers), *next;
         offer != NULL && !is_in_limits(&change->quota, &has); offer = next) {
        next = TAILQ_NEXT(offer, of_framework);
        if (!lies_in(offer->role, change->role))
            continue;
        struct quantities rescinded = rescind(offer);
        has = quantities_rest(&has, &rescinded);
    }
    return has;
}

// Offers of others, until the guarantees could be met.
static void rescind_others(struct master *master, const Change *change, struct quantities has)
{
    struct node *node;
    TAILQ_FOREACH(node, &master->nodes, link)
    for (struct master_offer *offer = TAILQ_FIRST(&node->offers), *next;
         offer != NULL && !quantities_contain(&has, &change->quota.guarantees); offer = next) {
        next = TAILQ_NEXT(offer, of_node);
        if (lies_in(offer->role, change->role))
            continue;
        struct quantities rescinded = rescind(offer);
        quantities_add(&has, &rescinded);
    }
}

// ---- UPDATE_QUOTA ----

static bool read_changes(struct master *master, const Config *configs, size_t count,
                         Change *changes, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!role_quota_check(&configs[i], err))
            return false;
    for (size_t i = 0; i < count; i++) {
        changes[i].role = configs[i].role;
        if (!role_quota_read(&master->roles.names, &configs[i], &changes[i].quota, err))
            return false;
    }
    return true;
}

static bool check_capacity(const struct master *master, const Change *changes, size_t count,
                           struct error *err)
{
    char *fault = role_quota_overcommit(master, changes, count);
    if (fault != NULL)
        error_set(err, ERROR_INVALID,
                  "Invalid QuotaConfig: total quota guarantees %s (use 'force' flag to bypass this "
                  "check)",
                  fault);
    free(fault);
    return fault == NULL;
}

bool role_quota_update(struct master *master, const Config *configs, size_t count, bool force,
                       struct error *err)
{
    if (count > CONFIGS_MOST)
        return error_set(err, ERROR_LIMIT,
                         "The local cluster takes at most %d quota configs at a time",
                         CONFIGS_MOST);
    Change *changes = memory_new((count + 1) * sizeof *changes);
    size_t names = master->roles.names.count;
    bool good = read_changes(master, configs, count, changes, err);
    for (size_t i = 0; i < count && good; i++)
        good = check_consumption(master, changes[i].role, &changes[i].quota, force, err);
    good = good && (force || check_capacity(master, changes, count, err));
    for (size_t i = 0; i < count && good; i++)
        role_quota_apply(master, &changes[i]);
    for (size_t i = 0; i < count && good; i++)
        rescind_others(master, &changes[i], rescind_own(master, &changes[i]));
    if (!good)
        quantities_names_cut(&master->roles.names, names);
    free(changes);
    return good;
}
