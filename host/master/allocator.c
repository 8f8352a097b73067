// SPDX-License-Identifier: Apache-2.0
//
// Who is offered what. Once a second, and soon after a framework subscribes or revives, all that is
// free on each agent goes to the role with the smallest share of the cluster that wants it (its
// largest share of cpus, mem, disk or gpus counts), and of equals to the one that was offered
// least. What a framework refused is not offered to it again before its filter expires, unless
// there is more of it than it refused (offer_filters.c).

#include "master/master_internal.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SOON (LOOP_SECOND / 1000) // calls that come together are seen by one round

struct candidate {
    struct master_framework *framework;
    struct role *role;
    double share;
};

// One round: the candidates, and what they were given in it.
struct round {
    struct master *master;
    struct candidate *candidates;
    size_t count;
};

// ---- candidates ----

static double share_of(const struct master *master, const struct role *role)
{
    double largest = 0;
    for (size_t i = 0; i < SHARES; i++)
        if (master->total.amount[i] > 0)
            largest = fmax(largest, role->allocated.amount[i] / master->total.amount[i]);
    return largest;
}

static void add_candidates(struct round *round, struct master_framework *framework)
{
    round->candidates = memory_resize(round->candidates, (round->count + framework->role_count) *
                                                             sizeof *round->candidates);
    for (size_t i = 0; i < framework->role_count; i++) {
        struct role *role = &framework->roles[i];
        memset(role->agents, 0, sizeof role->agents);
        if (!role->suppressed)
            round->candidates[round->count++] =
                (struct candidate){framework, role, share_of(round->master, role)};
    }
}

// The shares of a role are those of all frameworks in it.
static double role_share(const struct round *round, const struct candidate *candidate)
{
    double sum = 0;
    for (size_t i = 0; i < round->count; i++)
        if (strcmp(round->candidates[i].role->name, candidate->role->name) == 0)
            sum += round->candidates[i].share;
    return sum;
}

static bool goes_before(const struct round *round, const struct candidate *a,
                        const struct candidate *b)
{
    double left = role_share(round, a), right = role_share(round, b);
    if (left != right)
        return left < right;
    if (a->share != b->share)
        return a->share < b->share;
    return a->role->offers < b->role->offers;
}

// Insertion sort: candidates are few, and nearly in order from the agent before.
static void sort_candidates(struct round *round)
{
    for (size_t i = 1; i < round->count; i++) {
        struct candidate moving = round->candidates[i];
        size_t slot = i;
        for (; slot > 0 && goes_before(round, &moving, &round->candidates[slot - 1]); slot--)
            round->candidates[slot] = round->candidates[slot - 1];
        round->candidates[slot] = moving;
    }
}

// ---- offering ----

// Drops refined reservations, which a framework without RESERVATION_REFINEMENT cannot read.
static void drop_unreadable(const struct master_framework *framework, struct resources *resources)
{
    if (framework->reservation_refinement)
        return;
    size_t count = 0;
    for (size_t i = 0; i < resources->count; i++) {
        if (resources->items[i]->n_reservations > 1)
            resource_free(resources->items[i]);
        else
            resources->items[count++] = resources->items[i];
    }
    resources->count = count;
}

static void offer_to(struct candidate *candidate, struct node *node)
{
    struct resources resources = {0};
    resources_add_for_role(&resources, &node->free, candidate->role->name);
    drop_unreadable(candidate->framework, &resources);
    enum obstacle obstacle =
        offer_obstacles_find(candidate->framework, candidate->role, node, &resources);
    candidate->role->agents[obstacle]++;
    if (obstacle == OBSTACLE_NONE) {
        master_records_make_offer(candidate->framework, node, candidate->role, &resources);
        candidate->share = share_of(node->master, candidate->role);
    }
    resources_free(&resources);
}

static void offer_node(struct round *round, struct node *node)
{
    if (node->free.count == 0)
        return;
    sort_candidates(round);
    for (size_t i = 0; i < round->count && node->free.count > 0; i++)
        offer_to(&round->candidates[i], node);
}

// ---- rounds ----

static uint64_t offers_made(const struct master_framework *framework)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < framework->role_count; i++)
        sum += framework->roles[i].offers;
    return sum;
}

static void run(struct master *master)
{
    struct round round = {.master = master};
    struct master_framework *framework;
    struct node *node;
    TAILQ_FOREACH(framework, &master->frameworks, link)
    {
        framework->offers_before = offers_made(framework);
        if (framework->connected)
            add_candidates(&round, framework);
    }
    TAILQ_FOREACH(node, &master->nodes, link)
    offer_node(&round, node);
    free(round.candidates);
    TAILQ_FOREACH(framework, &master->frameworks, link)
    {
        size_t count = (size_t)(offers_made(framework) - framework->offers_before);
        if (count > 0)
            master_events_send_offers(framework, count);
        offer_obstacles_log(framework);
    }
    inverse_offers_send(master);
}

static void on_tick(void *data)
{
    struct master *master = data;
    timer_start(&master->tick, ALLOCATOR_INTERVAL);
    run(master);
}

static void on_soon(void *data)
{
    run(data);
}

void allocator_start(struct master *master)
{
    timer_init(&master->tick, master->loop, on_tick, master);
    timer_init(&master->soon, master->loop, on_soon, master);
    timer_start(&master->tick, ALLOCATOR_INTERVAL);
}

void allocator_stop(struct master *master)
{
    timer_stop(&master->tick);
    timer_stop(&master->soon);
}

void allocator_hurry(struct master *master)
{
    if (!master->stopping && !timer_active(&master->soon))
        timer_start(&master->soon, SOON);
}
