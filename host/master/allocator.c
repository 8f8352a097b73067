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

struct round {
    struct master *master;
    struct node **nodes; // whose turn it is
    size_t count;
    bool shared; // something that is shared was offered
};

// ---- a round ----

// Those that have this turn or an earlier one, but for what has nothing to offer.
static void collect(struct round *round, enum node_turn turn)
{
    size_t taken;
    round->nodes = node_turns_take(round->master, turn, &taken);
    for (size_t i = 0; i < taken; i++)
        if (round->nodes[i]->free.count > 0 && master_records_offerable(round->nodes[i]))
            round->nodes[round->count++] = round->nodes[i];
}

// A shared resource is in one offer of a round.
static void note_shared(struct round *round, struct node *node, const struct resources *offered)
{
    for (size_t i = 0; i < offered->count; i++) {
        const struct resources one = {&offered->items[i], 1};
        if (offered->items[i]->shared == NULL)
            continue;
        resources_add(&node->shared_offered, &one);
        round->shared = true;
    }
}

static bool takes_part(const struct role_member *member, const struct node *node,
                       enum offering_pass pass)
{
    return (node->asker == NULL || node->asker == member->framework) &&
           (pass == OFFERING_REST || member->role->quota.guaranteed);
}

static void offer_to(struct round *round, struct role_member *member, struct node *node,
                     enum offering_pass pass)
{
    struct offering offering;
    if (!takes_part(member, node, pass))
        return;
    enum obstacle obstacle = offering_find(member, node, pass, &offering);
    if (obstacle == OBSTACLE_NONE && offering.whole) {
        master_records_make_offer(member, node, NULL);
    } else if (obstacle == OBSTACLE_NONE) {
        note_shared(round, node, &offering.resources);
        master_records_make_offer(member, node, &offering.resources);
    }
    if (offering.held_back && pass == OFFERING_REST)
        node_turns_hold(node);
    offering_free(&offering);
}

// The order changes with each offer; for one agent it is that of before. Most agents go whole to
// the first member or to none: then there is no need for the order of all.
static void offer_node(struct round *round, struct node *node, enum offering_pass pass,
                       struct role_member **turns)
{
    struct role_tree *roles = &round->master->roles;
    struct role_member *first = role_tree_first(roles);
    size_t count, next = 0;
    if (first != NULL && pass == OFFERING_REST && offering_is_whole(first, node)) {
        offer_to(round, first, node, pass);
        next = 1;
    }
    if (node->free.count == 0)
        return;
    struct role_member *const *order = role_tree_order(roles, &count);
    if (count > next)
        memcpy(turns, order, count * sizeof(struct role_member *));
    for (; next < count && node->free.count > 0; next++)
        offer_to(round, turns[next], node, pass);
}

static void end_turn(const struct round *round, struct node *node)
{
    node->asker = NULL;
    if (round->shared)
        resources_free(&node->shared_offered);
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
        end_turn(round, round->nodes[i]);
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

static void offer(struct master *master, enum node_turn turn)
{
    struct round round = {.master = master};
    collect(&round, turn);
    if (round.count > 0)
        offer_nodes(&round);
    send_offers(master);
}

static void on_tick(void *data)
{
    struct master *master = data;
    timer_start(&master->tick, ALLOCATOR_INTERVAL);
    offer_filters_expire(master);
    offer(master, master->quota_moved ? NODE_HELD : NODE_WAITS);
    master->quota_moved = false;
}

static void on_soon(void *data)
{
    offer(data, NODE_HURRIES);
}

void allocator_init(struct master *master)
{
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
