// SPDX-License-Identifier: Apache-2.0
//
// Roles; see the header.

#include "operator/roles_document.h"

#include "base/memory.h"
#include "master/role_quota.h"
#include "operator/role_settings.h"

#include <stdlib.h>
#include <string.h>

// ---- sums ----

static int by_role(const void *a, const void *b)
{
    return strcmp(((const struct role_sums *)a)->role->name,
                  ((const struct role_sums *)b)->role->name);
}

static void list_roles(struct role_table *roles, const struct master *master)
{
    const struct role_node *role;
    *roles = (struct role_table){0};
    TAILQ_FOREACH(role, &master->roles.roles, link)
    roles->count++;
    roles->items = memory_new((roles->count + 1) * sizeof *roles->items);
    size_t count = 0;
    TAILQ_FOREACH(role, &master->roles.roles, link)
    roles->items[count++].role = role;
    qsort(roles->items, count, sizeof *roles->items, by_role);
    for (size_t i = 0; i < count; i++)
        string_map_put(&roles->table, &roles->items[i].entry, roles->items[i].role->name,
                       &roles->items[i]);
}

// To the role and to those that it lies in.
static void add(const struct role_table *roles, const char *name, const struct resources *resources,
                bool offered)
{
    struct resources plain;
    struct role_sums *sums = string_map_find(&roles->table, name);
    resources_copy(&plain, resources);
    resources_allocate(&plain, NULL);
    while (sums != NULL) {
        resources_add(offered ? &sums->offered : &sums->allocated, &plain);
        const struct role_node *parent = sums->role->parent;
        sums = parent ? string_map_find(&roles->table, parent->name) : NULL;
    }
    resources_free(&plain);
}

static void add_task(struct role_table *roles, const struct master_task *task)
{
    struct resources held;
    if (!task->holds)
        return;
    resources_packed_open(&held, task->resources);
    add(roles, task->role, &held, false);
    resources_free(&held);
}

void roles_document_sum(struct role_table *roles, const struct master *master)
{
    const struct master_framework *framework;
    const struct master_executor *executor;
    const struct master_task *task;
    const struct master_offer *offer;
    list_roles(roles, master);
    TAILQ_FOREACH(framework, &master->frameworks, link)
    {
        TAILQ_FOREACH(task, &framework->tasks, link)
        add_task(roles, task);
        TAILQ_FOREACH(executor, &framework->executors, of_framework)
        add(roles, executor->member->role->name, &executor->resources, false);
        TAILQ_FOREACH(offer, &framework->offers, of_framework)
        add(roles, offer->role, &offer->resources, true);
    }
}

void roles_document_free(struct role_table *roles)
{
    for (size_t i = 0; i < roles->count; i++) {
        resources_free(&roles->items[i].allocated);
        resources_free(&roles->items[i].offered);
    }
    string_map_free(&roles->table);
    free(roles->items);
}

// ---- quantities ----

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// What is there of each resource, in the order of their names.
static void write_quantities(struct json_writer *writer, const char *key,
                             const struct resources *list)
{
    const char **names = memory_new((list->count + 1) * sizeof *names);
    for (size_t i = 0; i < list->count; i++)
        names[i] = list->items[i]->name;
    if (list->count > 0)
        qsort(names, list->count, sizeof *names, by_name);
    json_writer_open(writer, key);
    for (size_t i = 0; i < list->count; i++)
        if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
            json_writer_double(writer, names[i], resources_quantity(list, names[i]));
    json_writer_close(writer);
    free(names);
}

static int number_order(const void *a, const void *b, void *names)
{
    const struct quantity_names *table = names;
    return strcmp(table->names[*(const size_t *)a], table->names[*(const size_t *)b]);
}

// `mask` says which numbers are written, as bits.
static void write_amounts(struct json_writer *writer, const char *key,
                          const struct quantity_names *names, const struct quantities *quantities,
                          uint32_t mask)
{
    size_t order[QUANTITIES_NAMES];
    for (size_t i = 0; i < names->count; i++)
        order[i] = i;
    qsort_r(order, names->count, sizeof *order, number_order, (void *)(uintptr_t)names);
    json_writer_open(writer, key);
    for (size_t i = 0; i < names->count; i++)
        if (mask >> order[i] & 1)
            json_writer_double(writer, names->names[order[i]],
                               (double)quantities->amount[order[i]] / 1000);
    json_writer_close(writer);
}

static uint32_t nonzero(const struct quantities *quantities)
{
    uint32_t mask = 0;
    for (size_t i = 0; i < QUANTITIES_NAMES; i++)
        mask |= (uint32_t)(quantities->amount[i] != 0) << i;
    return mask;
}

// ---- /roles ----

static void write_quota(struct json_writer *writer, const struct master *master,
                        const struct role_node *role)
{
    const struct quantity_names *names = &master->roles.names;
    struct quantities consumed = role_quota_consumed(master, role->name);
    json_writer_open(writer, "quota");
    json_writer_text(writer, "role", role->name);
    write_amounts(writer, "guarantee", names, &role->quota.guarantees,
                  nonzero(&role->quota.guarantees));
    write_amounts(writer, "limit", names, &role->quota.limits, role->quota.limited);
    write_amounts(writer, "consumed", names, &consumed, nonzero(&consumed));
    json_writer_close(writer);
}

static void write_members(struct json_writer *writer, const struct role_node *role)
{
    const struct role_member *member;
    json_writer_list(writer, "frameworks");
    TAILQ_FOREACH(member, &role->members, of_role)
    json_writer_text(writer, NULL, member->framework->id);
    json_writer_end(writer);
}

static void write_role(struct json_writer *writer, const struct master *master,
                       const struct role_sums *sums)
{
    const struct role_node *role = sums->role;
    struct resources both;
    resources_copy(&both, &sums->allocated);
    resources_add(&both, &sums->offered);
    json_writer_open(writer, NULL);
    json_writer_text(writer, "name", role->name);
    json_writer_double(writer, "weight", role->claim.weight);
    write_quota(writer, master, role);
    write_quantities(writer, "resources", &both);
    write_quantities(writer, "allocated", &sums->allocated);
    write_quantities(writer, "offered", &sums->offered);
    write_amounts(writer, "reserved", &master->roles.names, &role->reserved,
                  nonzero(&role->reserved));
    write_members(writer, role);
    json_writer_close(writer);
    resources_free(&both);
}

void roles_document(struct json_writer *writer, const struct master *master,
                    const struct document_query *query)
{
    struct role_table roles;
    (void)query;
    roles_document_sum(&roles, master);
    json_writer_open(writer, NULL);
    json_writer_list(writer, "roles");
    for (size_t i = 0; i < roles.count; i++)
        write_role(writer, master, &roles.items[i]);
    json_writer_end(writer);
    json_writer_close(writer);
    roles_document_free(&roles);
}

// ---- /weights ----

void roles_document_weights(struct json_writer *writer, const struct master *master,
                            const struct document_query *query)
{
    const struct role_node *role;
    (void)query;
    json_writer_list(writer, NULL);
    TAILQ_FOREACH(role, &master->roles.roles, link)
    {
        if (!role->weighted)
            continue;
        json_writer_open(writer, NULL);
        json_writer_double(writer, "weight", role->claim.weight);
        json_writer_text(writer, "role", role->name);
        json_writer_close(writer);
    }
    json_writer_end(writer);
}

void roles_document_quota(struct json_writer *writer, const struct master *master,
                          const struct document_query *query)
{
    Mesos__V1__Quota__QuotaStatus *status = role_settings_quota(master);
    (void)query;
    json_writer_message(writer, NULL, &status->base);
    role_settings_free_quota(status);
}
