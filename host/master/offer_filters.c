// SPDX-License-Identifier: Apache-2.0
//
// What frameworks refused. A filter covers the resources that were refused, for one role and agent;
// the allocator does not offer them again before it ends. All filters stand in one queue by their
// end, so that a round finds those that have ended without a look at the others; each is in the
// list of its framework and in a slot of its agent as well. A role and agent have at most
// FILTERS_LIMIT filters.

#include "master/master_internal.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_REFUSAL 5.0
#define LONGEST_REFUSAL (365.0 * 24 * 3600)
#define FILTERS_LIMIT 32 // of one role and agent

// ---- the queue: a heap ----

static void put(struct offer_filter_queue *queue, size_t place, struct offer_filter *filter)
{
    queue->heap[place] = filter;
    filter->place = place;
}

static void move_up(struct offer_filter_queue *queue, size_t place)
{
    struct offer_filter *filter = queue->heap[place];
    for (size_t above; place > 0 && queue->heap[above = (place - 1) / 2]->until > filter->until;
         place = above)
        put(queue, place, queue->heap[above]);
    put(queue, place, filter);
}

static void move_down(struct offer_filter_queue *queue, size_t place)
{
    struct offer_filter *filter = queue->heap[place];
    for (size_t below; (below = 2 * place + 1) < queue->count; place = below) {
        if (below + 1 < queue->count && queue->heap[below + 1]->until < queue->heap[below]->until)
            below++;
        if (queue->heap[below]->until >= filter->until)
            break;
        put(queue, place, queue->heap[below]);
    }
    put(queue, place, filter);
}

static void enqueue(struct offer_filter_queue *queue, struct offer_filter *filter)
{
    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity * 2 + 64;
        queue->heap = memory_resize(queue->heap, queue->capacity * sizeof *queue->heap);
    }
    put(queue, queue->count++, filter);
    move_up(queue, filter->place);
}

static void dequeue(struct offer_filter_queue *queue, struct offer_filter *filter)
{
    size_t place = filter->place;
    struct offer_filter *last = queue->heap[--queue->count];
    if (last == filter)
        return;
    put(queue, place, last);
    move_up(queue, place);
    move_down(queue, last->place);
}

// ---- the slots of an agent ----

static void put_slot(struct offer_filter_slots *slots, struct offer_filter *filter)
{
    if (slots->count == slots->capacity) {
        slots->capacity = slots->capacity * 2 + 2;
        slots->items = memory_resize(slots->items, slots->capacity * sizeof *slots->items);
    }
    slots->items[slots->count++] = (struct offer_filter_slot){filter->member, filter};
}

static void remove_slot(struct offer_filter_slots *slots, const struct offer_filter *filter)
{
    size_t i = 0;
    while (slots->items[i].filter != filter)
        i++;
    slots->items[i] = slots->items[--slots->count];
    if (slots->count > 0)
        return;
    free(slots->items);
    *slots = (struct offer_filter_slots){.items = NULL};
}

// ---- filters ----

static void remove_filter(struct offer_filter *filter)
{
    struct master_framework *framework = filter->member->framework;
    struct node *node = filter->node;
    dequeue(&framework->master->filters, filter);
    TAILQ_REMOVE(&framework->filters, filter, of_framework);
    remove_slot(&node->filters, filter);
    bytes_unref(filter->refused);
    free(filter);
    node_turns_wake(node, NODE_WAITS, framework);
}

void offer_filters_expire(struct master *master)
{
    struct offer_filter_queue *queue = &master->filters;
    uint64_t now = loop_now(master->loop);
    while (queue->count > 0 && queue->heap[0]->until <= now)
        remove_filter(queue->heap[0]);
}

// Mostly what was refused is offered again as it was.
static bool covers(const struct offer_filter *filter, const struct resources *resources)
{
    const struct offer_encoding *kept = &filter->node->encoding;
    if (kept->encoded == resources->items && kept->resources == filter->refused)
        return true;
    struct resources refused;
    offer_encoding_open(&refused, filter->refused);
    bool contained = resources_contain(&refused, resources);
    resources_free(&refused);
    return contained;
}

bool offer_filters_cover(const struct role_member *member, const struct node *node,
                         const struct resources *resources)
{
    uint64_t now = loop_now(node->master->loop);
    for (size_t i = 0; i < node->filters.count; i++) {
        const struct offer_filter_slot *slot = &node->filters.items[i];
        if (slot->member == member && slot->filter->until > now && covers(slot->filter, resources))
            return true;
    }
    return false;
}

// Drops the one that ends first when a role and agent have too many.
static void make_room(const struct role_member *member, struct node *node)
{
    struct offer_filter *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < node->filters.count; i++) {
        struct offer_filter *filter = node->filters.items[i].filter;
        if (filter->member != member)
            continue;
        first = first == NULL || filter->until < first->until ? filter : first;
        count++;
    }
    if (count >= FILTERS_LIMIT)
        remove_filter(first);
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
    struct master *master = framework->master;
    double seconds = offer_filters_seconds(filters);
    const struct role *of = master_records_role(framework, role);
    if (seconds == 0 || resources->count == 0 || of == NULL)
        return;
    uint64_t length = loop_seconds(seconds);
    make_room(of->member, node);
    struct offer_filter *filter = memory_new(sizeof *filter);
    filter->member = of->member;
    filter->node = node;
    filter->until =
        loop_now(master->loop) + (length > ALLOCATOR_INTERVAL ? length : ALLOCATOR_INTERVAL);
    filter->refused = offer_encoding_resources(node, resources, false);
    TAILQ_INSERT_TAIL(&framework->filters, filter, of_framework);
    put_slot(&node->filters, filter);
    enqueue(&master->filters, filter);
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
}
