// SPDX-License-Identifier: Apache-2.0
//
// Who is offered what, as the hierarchical allocator of Mesos decides it. Once a second, and soon
// after a framework subscribes or revives or an agent comes, what is free on the agents goes to the
// frameworks in the order of the tree of roles (role_tree.h), which changes with each offer. Roles
// that have less than their quota guarantees come first (offering.h).
//
// A round looks only at agents to which something has happened since it was their turn: something
// was given back, a filter ended, a framework wants more than before. Of the others it would offer
// nothing, so a round costs as much as has changed. Mesos looks at agents in random order, here it
// is that of their start, so that runs can be repeated.

#include "master/master_internal.h"

#include "base/memory.h"
#include "master/offering.h"

#include <stdlib.h>
#include <string.h>

#define SOON (LOOP_SECOND / 1000) // calls that come together are seen by one round

// The agents whose turn it is.
struct round {
    struct master *master;
    struct node **nodes;
    size_t count, capacity;
};

// ---- turns ----

static void set_turn(struct node *node, enum node_turn turn)
{
    struct nodes *turns = node->master->turns;
    if (node->turn != NODE_RESTS)
        TAILQ_REMOVE(&turns[node->turn], node, of_turn);
    node->turn = turn;
    if (turn != NODE_RESTS)
        TAILQ_INSERT_TAIL(&turns[turn], node, of_turn);
}

static void hurry(struct master *master)
{
    if (!master->stopping && !timer_active(&master->soon))
        timer_start(&master->soon, SOON);
}

void allocator_wake(struct node *node, enum node_turn turn)
{
    if (turn > node->turn)
        set_turn(node, turn);
    if (turn == NODE_HURRIES)
        hurry(node->master);
}

static void wake_all(struct master *master, enum node_turn turn)
{
    struct node *node;
    TAILQ_FOREACH(node, &master->nodes, link)
    if (turn > node->turn)
        set_turn(node, turn);
}

void allocator_hurry_all(struct master *master)
{
    wake_all(master, NODE_HURRIES);
    hurry(master);
}

void allocator_wait_all(struct master *master)
{
    wake_all(master, NODE_WAITS);
}

void allocator_forget(struct node *node)
{
    offer_filters_clear_node(node);
    set_turn(node, NODE_RESTS);
}

// ---- a round ----

static void collect(struct round *round, enum node_turn turn)
{
    struct nodes *nodes = &round->master->turns[turn];
    while (!TAILQ_EMPTY(nodes)) {
        struct node *node = TAILQ_FIRST(nodes);
        set_turn(node, NODE_RESTS);
        if (node->free.count == 0 || !master_records_offerable(node))
            continue;
        if (round->count == round->capacity) {
            round->capacity = round->capacity * 2 + 64;
            round->nodes = memory_resize(round->nodes, round->capacity * sizeof *round->nodes);
        }
        round->nodes[round->count++] = node;
    }
}

static int compare_numbers(const void *a, const void *b)
{
    const struct node *left = *(struct node *const *)a, *right = *(struct node *const *)b;
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
    if (offering.held_back && pass == OFFERING_REST && node->turn == NODE_RESTS)
        set_turn(node, NODE_HELD);
    offering_free(&offering);
}

static bool takes_part(const struct role_member *member, enum offering_pass pass)
{
    return pass == OFFERING_REST || member->role->quota.guaranteed;
}

// The order changes with each offer; for one agent it is that of before.
static void offer_node(struct round *round, struct node *node, enum offering_pass pass,
                       struct role_member **turns)
{
    size_t count;
    struct role_member *const *order = role_tree_order(&round->master->roles, &count);
    if (count > 0)
        memcpy(turns, order, count * sizeof(struct role_member *));
    for (size_t i = 0; i < count && node->free.count > 0; i++)
        if (takes_part(turns[i], pass))
            offer_to(turns[i], node, pass);
}

static void offer_nodes(struct round *round)
{
    struct role_tree *roles = &round->master->roles;
    size_t count;
    role_tree_order(roles, &count);
    struct role_member **turns = memory_new((count + 1) * sizeof(struct role_member *));
    for (size_t i = 0; i < round->count && !TAILQ_EMPTY(&roles->guaranteed); i++)
        offer_node(round, round->nodes[i], OFFERING_GUARANTEES, turns);
    for (size_t i = 0; i < round->count; i++)
        offer_node(round, round->nodes[i], OFFERING_REST, turns);
    for (size_t i = 0; i < round->count; i++)
        resources_free(&round->nodes[i]->shared_offered);
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
    if (round->count > 1)
        qsort(round->nodes, round->count, sizeof(struct node *), compare_numbers);
    if (round->count > 0)
        offer_nodes(round);
    free(round->nodes);
    send_offers(round->master);
}

static void on_tick(void *data)
{
    struct master *master = data;
    struct round round = {.master = master};
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
    struct round round = {.master = data};
    collect(&round, NODE_HURRIES);
    finish(&round);
}

void allocator_start(struct master *master)
{
    for (size_t turn = 0; turn < NODE_TURNS; turn++)
        TAILQ_INIT(&master->turns[turn]);
    timer_init(&master->tick, master->loop, on_tick, master);
    timer_init(&master->soon, master->loop, on_soon, master);
    timer_start(&master->tick, ALLOCATOR_INTERVAL);
}

void allocator_stop(struct master *master)
{
    timer_stop(&master->tick);
    timer_stop(&master->soon);
}
