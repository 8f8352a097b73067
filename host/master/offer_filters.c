// SPDX-License-Identifier: Apache-2.0
//
// What frameworks refused. A filter covers the resources that were refused, for one role and agent;
// the allocator does not offer them again before it ends. All filters stand in one queue by their
// end (offer_filter_queue.h), so that a round finds those that have ended without a look at the
// others; each is in the list of its framework and in a slot of its agent as well. A role and agent
// have at most FILTERS_LIMIT filters.

#include "master/master_internal.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_REFUSAL 5.0
#define LONGEST_REFUSAL (365.0 * 24 * 3600)
#define FILTERS_LIMIT 32 // of one role and agent
enum { SLOTS_KEPT = 2 }; // of an agent that has no filters for the moment

// ---- the slots of an agent ----

static void free_slots(struct offer_filter_slots *slots)
{
    free(slots->items);
    *slots = (struct offer_filter_slots){.items = NULL};
}

static void put_slot(struct offer_filter_slots *slots, struct offer_filter_slot slot)
{
    if (slots->count == slots->capacity) {
        slots->capacity = slots->capacity * 2 + 2;
        slots->items = memory_resize(slots->items, slots->capacity * sizeof *slots->items);
    }
    slots->items[slots->count++] = slot;
}

static void remove_slot(struct offer_filter_slots *slots, const struct offer_filter *filter)
{
    size_t i = 0;
    while (slots->items[i].filter != filter)
        i++;
    slots->items[i] = slots->items[--slots->count];
    if (slots->count == 0 && slots->capacity > SLOTS_KEPT)
        free_slots(slots);
}

// ---- filters ----

// What was refused may be offered again.
static void end(struct offer_filter *filter)
{
    struct master_framework *framework = filter->member->framework;
    TAILQ_REMOVE(&framework->filters, filter, of_framework);
    remove_slot(&filter->node->filters, filter);
    bytes_unref(filter->refused);
    node_turns_wake(filter->node, NODE_WAITS, framework);
}

static void remove_filter(struct offer_filter *filter)
{
    struct offer_filter_queue *queue = &filter->node->master->filters;
    end(filter);
    offer_filter_queue_drop(queue, filter);
}

void offer_filters_expire(struct master *master)
{
    struct offer_filter *filter;
    uint64_t now = loop_now(master->loop);
    while ((filter = offer_filter_queue_take(&master->filters, now)) != NULL) {
        end(filter);
        offer_filter_queue_give(&master->filters, filter);
    }
}

// True if the numbers of what is free, which is open, tell that the filter does not cover it.
static bool has_less(const struct offer_filter *filter, const struct quantities_charge *free)
{
    for (size_t i = 0; filter->open && free->closed == NULL && i < QUANTITIES_KNOWN; i++)
        if (filter->amounts[i] < free->open[i])
            return true;
    return false;
}

static bool has_all(const struct offer_filter *filter, const struct resources *resources)
{
    struct resources refused;
    offer_encoding_open(&refused, filter->refused);
    bool contained = resources_contain(&refused, resources);
    resources_free(&refused);
    return contained;
}

// What was left of an offer is now all that is free: it is offered next if the filter is another
// one's, so its encoding is of use.
static bool has_same(const struct offer_filter *filter, const struct resources *resources)
{
    struct bytes *free = offer_encoding_resources(filter->node, resources, true);
    bool same = slice_equal(slice_of(free), slice_of(filter->refused));
    bytes_unref(free);
    return same;
}

static bool covers(const struct offer_filter *filter, const struct resources *resources)
{
    const struct node *node = filter->node;
    if (resources != &node->free)
        return has_all(filter, resources);
    return !has_less(filter, &node->counted) &&
           (has_same(filter, resources) || has_all(filter, resources));
}

// Mostly what was refused is offered again as it was.
bool offer_filters_cover(const struct role_member *member, const struct node *node,
                         const struct resources *resources)
{
    if (node->filters.count == 0)
        return false;
    const struct bytes *kept = offer_encoding_kept(&node->encoding, resources);
    uint64_t now = loop_now(node->master->loop);
    for (size_t i = 0; i < node->filters.count; i++) {
        const struct offer_filter_slot *slot = &node->filters.items[i];
        if (slot->member == member && slot->until > now &&
            (slot->refused == kept || covers(slot->filter, resources)))
            return true;
    }
    return false;
}

// Drops the one that ends first when a role and agent have too many.
static void make_room(const struct role_member *member, struct node *node)
{
    const struct offer_filter_slot *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < node->filters.count; i++) {
        const struct offer_filter_slot *slot = &node->filters.items[i];
        if (slot->member != member)
            continue;
        first = first == NULL || slot->until < first->until ? slot : first;
        count++;
    }
    if (count >= FILTERS_LIMIT)
        remove_filter(first->filter);
}

double offer_filters_seconds(const Mesos__V1__Filters *filters)
{
    double seconds =
        filters && filters->has_refuse_seconds ? filters->refuse_seconds : DEFAULT_REFUSAL;
    if (!(seconds >= 0))
        return DEFAULT_REFUSAL;
    return seconds < LONGEST_REFUSAL ? seconds : LONGEST_REFUSAL;
}

// What a framework refuses of a node; the bytes are handed over.
struct refusal {
    struct role_member *member;
    struct node *node;
    struct bytes *resources;
    const struct quantities_charge *charge;
};

// A filter lasts until after the next round at least.
static void add(const struct refusal *refusal, uint64_t length)
{
    struct node *node = refusal->node;
    struct master *master = node->master;
    uint64_t until =
        loop_now(master->loop) + (length > ALLOCATOR_INTERVAL ? length : ALLOCATOR_INTERVAL);
    make_room(refusal->member, node);
    struct offer_filter *filter = offer_filter_queue_put(&master->filters, until);
    *filter = (struct offer_filter){.member = refusal->member,
                                    .node = node,
                                    .refused = refusal->resources,
                                    .open = refusal->charge->closed == NULL};
    memcpy(filter->amounts, refusal->charge->open, sizeof filter->amounts);
    TAILQ_INSERT_TAIL(&refusal->member->framework->filters, filter, of_framework);
    put_slot(&node->filters,
             (struct offer_filter_slot){filter->member, filter->refused, until, filter});
}

void offer_filters_add(struct master_framework *framework, struct node *node, const char *role,
                       const struct resources *resources, const Mesos__V1__Filters *filters)
{
    double seconds = offer_filters_seconds(filters);
    const struct role *of = master_records_role(framework, role);
    struct quantities_charge charge;
    if (seconds == 0 || resources->count == 0 || of == NULL)
        return;
    quantities_charge_of(&charge, &framework->master->roles.names, resources);
    const struct refusal refusal = {of->member, node,
                                    offer_encoding_resources(node, resources, false), &charge};
    add(&refusal, loop_seconds(seconds));
    quantities_charge_free(&charge);
}

void offer_filters_decline(struct master_offer *offer, const Mesos__V1__Filters *filters)
{
    double seconds = offer_filters_seconds(filters);
    if (seconds == 0 || offer->resources.count == 0 || !offer->member->subscribed)
        return;
    struct bytes *resources =
        offer_encoding_resources(offer->node, &offer->resources, offer->whole);
    const struct refusal refusal = {offer->member, offer->node, resources, &offer->charge};
    add(&refusal, loop_seconds(seconds));
}

void offer_filters_clear(struct master_framework *framework, const char *role)
{
    for (struct offer_filter *filter = TAILQ_FIRST(&framework->filters), *next; filter != NULL;
         filter = next) {
        next = TAILQ_NEXT(filter, of_framework);
        if (role == NULL || strcmp(filter->member->role->name, role) == 0)
            remove_filter(filter);
    }
}

void offer_filters_clear_node(struct node *node)
{
    while (node->filters.count > 0)
        remove_filter(node->filters.items[0].filter);
    free_slots(&node->filters);
}
