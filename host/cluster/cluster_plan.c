// SPDX-License-Identifier: Apache-2.0
//
// What a cluster is to be like: see cluster_plan.h.

#include "cluster/cluster_plan.h"

#include "base/memory.h"
#include "cluster/agent_resources.h"
#include "cluster/plan_disks.h"
#include "cluster/plan_group.h"
#include "offers/role_name.h"

#include <stdlib.h>
#include <string.h>

// ---- agents ----

static struct cluster_plan_group *new_group(struct cluster_plan *plan)
{
    plan->groups = memory_resize(plan->groups, (plan->group_count + 1) * sizeof *plan->groups);
    struct cluster_plan_group *group = &plan->groups[plan->group_count++];
    *group = (struct cluster_plan_group){.count = 1};
    return group;
}

unsigned cluster_plan_agents(const struct cluster_plan *plan)
{
    unsigned count = 0;
    for (size_t i = 0; i < plan->group_count; i++)
        count += plan->groups[i].count;
    return count;
}

static bool name_resources(struct cluster_plan_group *group, const char *text, struct error *err)
{
    group->named = memory_string(text ? text : "");
    return agent_resources_parse(&group->resources, group->named, NULL, err);
}

bool cluster_plan_add(struct cluster_plan *plan, const char *text, unsigned count,
                      struct error *err)
{
    struct cluster_plan_group *group = new_group(plan);
    group->count = count;
    return agent_description_parse(&group->description, text, err) &&
           name_resources(group, group->description.resources, err);
}

bool cluster_plan_add_alike(struct cluster_plan *plan, const char *resources, unsigned count,
                            struct error *err)
{
    struct cluster_plan_group *group = new_group(plan);
    group->count = count;
    return name_resources(group, resources, err);
}

static bool read_group(const struct plan_field *field, void *to, struct error *err)
{
    struct cluster_plan *plan = to;
    struct cluster_plan_group *group = new_group(plan);
    if (!plan_group_read(field, group, plan->most, err))
        return false;
    if (group->named == NULL)
        group->named = memory_string("");
    return cluster_plan_agents(plan) <= plan->most ||
           plan_field_fault(field, err, "with these there are more than %u agents", plan->most);
}

static bool read_groups(const struct plan_field *field, void *to, struct error *err)
{
    return plan_field_items(field, read_group, to, err);
}

// ---- roles ----

struct amount_list {
    struct role_quota_amount **items;
    size_t *count;
};

static bool read_amount(const struct plan_field *field, void *to, struct error *err)
{
    struct amount_list *amounts = to;
    double value;
    if (!plan_field_number(field, 0, &value, err))
        return false;
    *amounts->items =
        memory_resize(*amounts->items, (*amounts->count + 1) * sizeof **amounts->items);
    (*amounts->items)[(*amounts->count)++] =
        (struct role_quota_amount){memory_string(field->key), value};
    return true;
}

static bool read_guarantees(const struct plan_field *field, void *to, struct error *err)
{
    struct cluster_plan_role *role = to;
    struct amount_list amounts = {&role->guarantees, &role->guarantee_count};
    return plan_field_each(field, read_amount, &amounts, err);
}

static bool read_limits(const struct plan_field *field, void *to, struct error *err)
{
    struct cluster_plan_role *role = to;
    struct amount_list amounts = {&role->limits, &role->limit_count};
    return plan_field_each(field, read_amount, &amounts, err);
}

static bool read_weight(const struct plan_field *field, void *to, struct error *err)
{
    struct cluster_plan_role *role = to;
    return plan_field_number(field, 0, &role->weight, err) &&
           (role->weight > 0 || plan_field_fault(field, err, "a weight is above 0"));
}

static bool read_role(const struct plan_field *field, void *to, struct error *err)
{
    static const struct plan_key keys[] = {{"weight", read_weight, NULL},
                                           {"guarantees", read_guarantees, NULL},
                                           {"limits", read_limits, NULL},
                                           {NULL, NULL, NULL}};
    struct cluster_plan *plan = to;
    struct error fault;
    plan->roles = memory_resize(plan->roles, (plan->role_count + 1) * sizeof *plan->roles);
    struct cluster_plan_role *role = &plan->roles[plan->role_count++];
    *role = (struct cluster_plan_role){.name = memory_string(field->key)};
    if (!role_name_check(role->name, &fault))
        return plan_field_fault(field, err, "%s", fault.text);
    return plan_field_object(field, keys, role, err);
}

static bool read_roles(const struct plan_field *field, void *to, struct error *err)
{
    return plan_field_each(field, read_role, to, err);
}

// ---- credentials ----

static bool read_principal(const struct plan_field *field, void *to, struct error *err)
{
    struct http_access_principal *principal = to;
    return plan_field_text(field, &principal->principal, err);
}

static bool read_secret(const struct plan_field *field, void *to, struct error *err)
{
    struct http_access_principal *principal = to;
    return plan_field_text(field, &principal->secret, err);
}

static bool read_credential(const struct plan_field *field, void *to, struct error *err)
{
    static const struct plan_key keys[] = {
        {"principal", read_principal, NULL}, {"secret", read_secret, NULL}, {NULL, NULL, NULL}};
    struct cluster_plan *plan = to;
    struct http_access_principal given = {NULL, NULL};
    if (!plan_field_object(field, keys, &given, err))
        return false;
    if (given.principal == NULL || given.secret == NULL)
        return plan_field_fault(field, err, "a principal and its secret are needed");
    plan->principals =
        memory_resize(plan->principals, (plan->principal_count + 1) * sizeof *plan->principals);
    plan->principals[plan->principal_count++] =
        (struct http_access_principal){memory_string(given.principal), memory_string(given.secret)};
    return true;
}

static bool read_credentials(const struct plan_field *field, void *to, struct error *err)
{
    return plan_field_items(field, read_credential, to, err);
}

// ---- the master ----

static bool read_domain(const struct plan_field *field, void *to, struct error *err)
{
    struct cluster_plan *plan = to;
    struct plan_domain domain;
    if (!plan_group_domain(field, &domain, err))
        return false;
    plan->region = domain.region;
    plan->zone = domain.zone;
    return true;
}

static bool read_master(const struct plan_field *field, void *to, struct error *err)
{
    static const struct plan_key keys[] = {{"domain", read_domain, NULL}, {NULL, NULL, NULL}};
    return plan_field_object(field, keys, to, err);
}

static bool read_faults(const struct plan_field *field, void *to, struct error *err)
{
    struct cluster_plan *plan = to;
    return fault_plan_read_faults(field, &plan->faults, err);
}

static bool read_seed(const struct plan_field *field, void *to, struct error *err)
{
    struct cluster_plan *plan = to;
    return fault_plan_read_seed(field, &plan->faults, err);
}

// A real master without a domain refuses agents that have one; this one takes that of the first.
static void choose_domain(struct cluster_plan *plan)
{
    for (size_t i = 0; i < plan->group_count && plan->region == NULL; i++) {
        plan->region = memory_string(plan->groups[i].description.region);
        plan->zone = memory_string(plan->groups[i].description.zone);
    }
}

// ---- the whole ----

#define SIMULATOR                                                                                  \
    "this is for the simulator (mesos-lua sim); here tasks run as processes. A scenario and a "    \
    "cluster can share 'agents'"

static bool read_plan(const struct plan_field *field, struct cluster_plan *plan, struct error *err)
{
    static const struct plan_key keys[] = {
        {"agents", read_groups, NULL},
        {"roles", read_roles, NULL},
        {"credentials", read_credentials, NULL},
        {"master", read_master, NULL},
        {"faults", read_faults, NULL},
        {"seed", read_seed, NULL},
        {"workload", NULL, SIMULATOR},
        {"runtime", NULL, SIMULATOR},
        {"duration", NULL, SIMULATOR},
        {"stubs", NULL, SIMULATOR},
        {NULL, NULL, NULL},
    };
    return plan_field_object(field, keys, plan, err);
}

bool cluster_plan_read(struct cluster_plan *plan, struct slice text, unsigned most,
                       struct error *err)
{
    json_error_t fault;
    *plan = (struct cluster_plan){.most = most};
    json_t *root = json_loadb((const char *)text.data, text.length, JSON_REJECT_DUPLICATES, &fault);
    if (root == NULL)
        return error_set(err, ERROR_INVALID, "line %d: %s", fault.line, fault.text);
    const struct plan_field field = {.json = root};
    bool good = read_plan(&field, plan, err) &&
                (plan->group_count > 0 || cluster_plan_add_alike(plan, NULL, 1, err)) &&
                plan_disks_check(plan, err);
    json_decref(root);
    if (good)
        choose_domain(plan);
    else
        cluster_plan_free(plan);
    return good;
}

// ---- freeing ----

static void free_amounts(struct role_quota_amount *amounts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((char *)(uintptr_t)amounts[i].name);
    free(amounts);
}

static void free_group(struct cluster_plan_group *group)
{
    resources_free(&group->resources);
    agent_description_free(&group->description);
    free(group->named);
}

static void free_role(struct cluster_plan_role *role)
{
    free_amounts(role->guarantees, role->guarantee_count);
    free_amounts(role->limits, role->limit_count);
    free(role->name);
}

void cluster_plan_free(struct cluster_plan *plan)
{
    for (size_t i = 0; i < plan->group_count; i++)
        free_group(&plan->groups[i]);
    for (size_t i = 0; i < plan->role_count; i++)
        free_role(&plan->roles[i]);
    for (size_t i = 0; i < plan->principal_count; i++) {
        free((char *)(uintptr_t)plan->principals[i].principal);
        memory_wipe((char *)(uintptr_t)plan->principals[i].secret);
    }
    free(plan->groups);
    free(plan->roles);
    free(plan->principals);
    free(plan->region);
    free(plan->zone);
    fault_plan_free(&plan->faults);
    *plan = (struct cluster_plan){.group_count = 0};
}
