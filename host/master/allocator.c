// SPDX-License-Identifier: Apache-2.0
//
// Who is offered what, as the hierarchical allocator of Mesos decides it. Once a second, and soon
// after a framework subscribes or revives or an agent comes, what is free on the agents goes to the
// frameworks in the order of the tree of roles (role_tree.h), which changes with each offer. Roles
// that have less than their quota guarantees come first (offering.h).
//
// A round looks only at agents to which something has happened since it was their turn: something
// was given back, a filter ended, a framework wants more than before (node_turns.c). Of the others
// it would offer nothing, so a round costs as much as has changed. Mesos looks at agents in random
// order, here it is that of their start, so that runs can be repeated.

#include "master/master_internal.h"

#include "base/memory.h"
#include "master/offering.h"

#include <stdlib.h>
#include <string.h>

// An agent whose turn it is. Its number stands beside it, as sorting reads it often.
struct turn {
    uint64_t number;
    struct node *node;
};

struct round {
    struct master *master;
    struct turn *turns;
    size_t count, capacity;
    bool sorted; // by number, as they come
};

// ---- a round ----

static void collect(struct round *round, enum node_turn turn)
{
    struct node *node;
    while ((node = node_turns_take(round->master, turn)) != NULL) {
        if (node->free.count == 0 || !master_records_offerable(node))
            continue;
        if (round->count == round->capacity) {
            round->capacity = round->capacity * 2 + 64;
            round->turns = memory_resize(round->turns, round->capacity * sizeof *round->turns);
        }
        round->sorted = round->sorted &&
                        (round->count == 0 || round->turns[round->count - 1].number < node->number);
        round->turns[round->count++] = (struct turn){node->number, node};
    }
}

static int compare_numbers(const void *a, const void *b)
{
    const struct turn *left = a, *right = b;
    return left->number < right->number ? -1 : left->number > right->number;
}

// A shared resource is in one offer of a round.
static void note_shared(struct node *node, const struct resources *offered)
{
    for (size_t i = 0; i < offered->count; i++) {
        const struct resources one = {&offered->items[i], 1};
        if (offered->items[i]->shared != NULL)
            resources_add(&node->shared_offered, &one);
    }
}

static void offer_to(struct role_member *member, struct node *node, enum offering_pass pass)
{
    struct offering offering;
    enum obstacle obstacle = offering_find(member, node, pass, &offering);
    if (obstacle == OBSTACLE_NONE) {
        note_shared(node, &offering.resources);
        master_records_make_offer(member, node, offering.whole ? NULL : &offering.resources);
    }
    if (offering.held_back && pass == OFFERING_REST)
        node_turns_hold(node);
    offering_free(&offering);
}

static bool takes_part(const struct role_member *member, const struct node *node,
                       enum offering_pass pass)
{
    return (node->asker == NULL || node->asker == member->framework) &&
           (pass == OFFERING_REST || member->role->quota.guaranteed);
}

// Most agents go whole to the first member: then there is no need for the order of all.
static bool offer_whole(struct round *round, struct node *node)
{
    struct role_member *first = role_tree_first(&round->master->roles);
    struct offering offering;
    if (first == NULL || !takes_part(first, node, OFFERING_REST))
        return false;
    bool whole =
        offering_find(first, node, OFFERING_REST, &offering) == OBSTACLE_NONE && offering.whole;
    if (whole)
        master_records_make_offer(first, node, NULL);
    offering_free(&offering);
    return whole;
}

// The order changes with each offer; for one agent it is that of before.
static void offer_node(struct round *round, struct node *node, enum offering_pass pass,
                       struct role_member **turns)
{
    size_t count;
    if (pass == OFFERING_REST && offer_whole(round, node))
        return;
    struct role_member *const *order = role_tree_order(&round->master->roles, &count);
    if (count > 0)
        memcpy(turns, order, count * sizeof(struct role_member *));
    for (size_t i = 0; i < count && node->free.count > 0; i++)
        if (takes_part(turns[i], node, pass))
            offer_to(turns[i], node, pass);
}

static void offer_nodes(struct round *round)
{
    struct role_tree *roles = &round->master->roles;
    size_t count;
    role_tree_order(roles, &count);
    struct role_member **turns = memory_new((count + 1) * sizeof(struct role_member *));
    for (size_t i = 0; i < round->count && !TAILQ_EMPTY(&roles->guaranteed); i++)
        offer_node(round, round->turns[i].node, OFFERING_GUARANTEES, turns);
    for (size_t i = 0; i < round->count; i++)
        offer_node(round, round->turns[i].node, OFFERING_REST, turns);
    for (size_t i = 0; i < round->count; i++) {
        resources_free(&round->turns[i].node->shared_offered);
        round->turns[i].node->asker = NULL;
    }
    free(turns);
}

static void send_offers(struct master *master)
{
    struct master_framework *framework;
    TAILQ_FOREACH(framework, &master->frameworks, link)
    {
        size_t count = framework->new_offers;
        framework->new_offers = 0;
        if (count > 0)
            master_events_send_offers(framework, count);
        offer_obstacles_log(framework);
    }
    inverse_offers_send(master);
}

static void finish(struct round *round)
{
    if (!round->sorted)
        qsort(round->turns, round->count, sizeof *round->turns, compare_numbers);
    if (round->count > 0)
        offer_nodes(round);
    free(round->turns);
    send_offers(round->master);
}

static void on_tick(void *data)
{
    struct master *master = data;
    struct round round = {.master = master, .sorted = true};
    timer_start(&master->tick, ALLOCATOR_INTERVAL);
    offer_filters_expire(master);
    if (master->quota_moved)
        collect(&round, NODE_HELD);
    collect(&round, NODE_WAITS);
    collect(&round, NODE_HURRIES);
    finish(&round);
    master->quota_moved = false;
}

static void on_soon(void *data)
{
    struct round round = {.master = data, .sorted = true};
    collect(&round, NODE_HURRIES);
    finish(&round);
}

void allocator_init(struct master *master)
{
    node_turns_init(master);
    timer_init(&master->tick, master->loop, on_tick, master);
    timer_init(&master->soon, master->loop, on_soon, master);
}

void allocator_start(struct master *master)
{
    timer_start(&master->tick, ALLOCATOR_INTERVAL);
}

void allocator_stop(struct master *master)
{
    timer_stop(&master->tick);
    timer_stop(&master->soon);
}
