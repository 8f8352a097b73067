// SPDX-License-Identifier: Apache-2.0
//
// When the allocator looks at an agent again. An agent rests until something happens to it, so that
// rounds cost as much as has changed (allocator.c has them). The files that change something wake
// it.

#include "master/master_internal.h"

#define SOON (LOOP_SECOND / 1000) // calls that come together are seen by one round

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

void node_turns_wake(struct node *node, enum node_turn turn, const struct master_framework *asker)
{
    if (node->turn == NODE_RESTS)
        node->asker = asker;
    else if (node->asker != asker)
        node->asker = NULL;
    if (turn > node->turn)
        set_turn(node, turn);
    if (turn == NODE_HURRIES)
        hurry(node->master);
}

// What has nothing free has its turn when something is given back.
static void wake_all(struct master *master, enum node_turn turn,
                     const struct master_framework *asker)
{
    struct node *node;
    TAILQ_FOREACH(node, &master->nodes, link)
    if (node->free.count > 0)
        node_turns_wake(node, turn, asker);
}

void node_turns_hurry_all(struct master *master)
{
    wake_all(master, NODE_HURRIES, NULL);
    hurry(master); // also without an agent, for what else a round does
}

void node_turns_hurry_for(struct master_framework *framework)
{
    wake_all(framework->master, NODE_HURRIES, framework);
    hurry(framework->master);
}

void node_turns_wait_all(struct master *master)
{
    wake_all(master, NODE_WAITS, NULL);
}

void node_turns_forget_framework(const struct master_framework *framework)
{
    struct node *node;
    TAILQ_FOREACH(node, &framework->master->nodes, link)
    if (node->asker == framework)
        node->asker = NULL;
}

void node_turns_forget(struct node *node)
{
    set_turn(node, NODE_RESTS);
    node->asker = NULL;
}

void node_turns_hold(struct node *node)
{
    if (node->turn == NODE_RESTS)
        set_turn(node, NODE_HELD);
}

struct node *node_turns_take(struct master *master, enum node_turn turn)
{
    struct node *node = TAILQ_FIRST(&master->turns[turn]);
    if (node != NULL)
        set_turn(node, NODE_RESTS);
    return node;
}

void node_turns_init(struct master *master)
{
    for (size_t turn = 0; turn < NODE_TURNS; turn++)
        TAILQ_INIT(&master->turns[turn]);
}
