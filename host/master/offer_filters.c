// SPDX-License-Identifier: Apache-2.0
//
// What frameworks refused. A filter covers the resources that were refused, for one role and agent;
// the allocator does not offer them again before it expires. A role and agent have at most
// FILTERS_LIMIT filters.

#include "master/master_internal.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_REFUSAL 5.0
#define LONGEST_REFUSAL (365.0 * 24 * 3600)
#define FILTERS_LIMIT 32 // of one role and agent

static char *key_of(const char *role, const struct node *node)
{
    return memory_format("%s/%s", node->id, role);
}

static void free_filter(struct offer_filter *filter)
{
    resources_free(&filter->resources);
    free(filter);
}

static void remove_list(struct master_framework *framework, struct offer_filters *filters)
{
    string_map_remove(&framework->filter_table, &filters->entry);
    TAILQ_REMOVE(&framework->filters, filters, link);
    for (struct offer_filter *filter = filters->first, *next; filter != NULL; filter = next) {
        next = filter->next;
        free_filter(filter);
    }
    free(filters->role);
    free(filters->key);
    free(filters);
}

// Drops the filters that have expired on the way.
bool offer_filters_cover(struct master_framework *framework, const struct node *node,
                         const char *role, const struct resources *resources)
{
    char *key = key_of(role, node);
    struct offer_filters *filters = string_map_find(&framework->filter_table, key);
    free(key);
    if (filters == NULL)
        return false;
    uint64_t now = loop_now(framework->master->loop);
    bool covered = false;
    for (struct offer_filter **link = &filters->first; *link != NULL;) {
        struct offer_filter *filter = *link;
        if (filter->until <= now) {
            *link = filter->next;
            free_filter(filter);
            continue;
        }
        covered = covered || resources_contain(&filter->resources, resources);
        link = &filter->next;
    }
    if (filters->first == NULL)
        remove_list(framework, filters);
    return covered;
}

static struct offer_filters *filters_for(struct master_framework *framework,
                                         const struct node *node, const char *role)
{
    char *key = key_of(role, node);
    struct offer_filters *filters = string_map_find(&framework->filter_table, key);
    if (filters != NULL) {
        free(key);
        return filters;
    }
    filters = memory_new(sizeof *filters);
    filters->key = key;
    filters->role = memory_string(role);
    string_map_put(&framework->filter_table, &filters->entry, filters->key, filters);
    TAILQ_INSERT_TAIL(&framework->filters, filters, link);
    return filters;
}

// The oldest is dropped when there are too many.
static void put_filter(struct offer_filters *filters, struct offer_filter *filter)
{
    filter->next = filters->first;
    filters->first = filter;
    struct offer_filter **link = &filters->first;
    for (size_t i = 0; i < FILTERS_LIMIT && *link != NULL; i++)
        link = &(*link)->next;
    if (*link != NULL) {
        free_filter(*link);
        *link = NULL;
    }
}

double offer_filters_seconds(const Mesos__V1__Filters *filters)
{
    double seconds =
        filters && filters->has_refuse_seconds ? filters->refuse_seconds : DEFAULT_REFUSAL;
    if (!(seconds >= 0))
        return DEFAULT_REFUSAL;
    return seconds < LONGEST_REFUSAL ? seconds : LONGEST_REFUSAL;
}

// A filter lasts until after the next round at least.
void offer_filters_add(struct master_framework *framework, struct node *node, const char *role,
                       const struct resources *resources, const Mesos__V1__Filters *filters)
{
    double seconds = offer_filters_seconds(filters);
    if (seconds == 0 || resources->count == 0 || master_records_role(framework, role) == NULL)
        return;
    uint64_t length = loop_seconds(seconds);
    struct offer_filter *filter = memory_new(sizeof *filter);
    filter->until = loop_now(framework->master->loop) +
                    (length > ALLOCATOR_INTERVAL ? length : ALLOCATOR_INTERVAL);
    resources_copy(&filter->resources, resources);
    resources_allocate(&filter->resources, NULL);
    put_filter(filters_for(framework, node, role), filter);
}

void offer_filters_clear(struct master_framework *framework, const char *role)
{
    for (struct offer_filters *filters = TAILQ_FIRST(&framework->filters), *next; filters != NULL;
         filters = next) {
        next = TAILQ_NEXT(filters, link);
        if (role == NULL || strcmp(filters->role, role) == 0)
            remove_list(framework, filters);
    }
}

void offer_filters_forget_node(struct master_framework *framework, const struct node *node)
{
    size_t length = strlen(node->id);
    for (struct offer_filters *filters = TAILQ_FIRST(&framework->filters), *next; filters != NULL;
         filters = next) {
        next = TAILQ_NEXT(filters, link);
        if (strncmp(filters->key, node->id, length) == 0 && filters->key[length] == '/')
            remove_list(framework, filters);
    }
}
