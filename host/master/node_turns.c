// SPDX-License-Identifier: Apache-2.0
//
// When the allocator looks at an agent again. An agent rests until something happens to it, so that
// rounds cost as much as has changed (allocator.c has them). The files that change something wake
// it.

#include "master/master_internal.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { AHEAD = 8 };               // nodes whose turn comes, so that they are in the cache then
#define SOON (LOOP_SECOND / 1000) // calls that come together are seen by one round

static void make_room(struct node_turns *turns, size_t number)
{
    size_t old = turns->capacity, capacity = old ? old : 64;
    while (capacity <= number)
        capacity *= 2;
    turns->nodes = memory_resize(turns->nodes, capacity * sizeof(struct node *));
    turns->taken = memory_resize(turns->taken, capacity * sizeof(struct node *));
    turns->bits = memory_resize(turns->bits, capacity / 64 * sizeof *turns->bits);
    memset(&turns->bits[old / 64], 0, (capacity - old) / 64 * sizeof *turns->bits);
    turns->capacity = capacity;
}

static void mark(struct node_turns *turns, const struct node *node, bool set)
{
    uint64_t bit = UINT64_C(1) << node->number % 64, *bits;
    if (node->turn == NODE_RESTS)
        return;
    bits = &turns->bits[node->number / 64].of[node->turn];
    *bits = set ? *bits | bit : *bits & ~bit;
    turns->count[node->turn] += set ? 1 : SIZE_MAX;
}

static void set_turn(struct node *node, enum node_turn turn)
{
    struct node_turns *turns = &node->master->turns;
    if (node->number >= turns->capacity)
        make_room(turns, node->number);
    turns->nodes[node->number] = node;
    mark(turns, node, false);
    node->turn = turn;
    mark(turns, node, true);
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

static uint64_t take_bits(struct node_turn_bits *bits, enum node_turn turn)
{
    uint64_t taken = 0;
    for (; turn < NODE_TURNS; turn++) {
        taken |= bits->of[turn];
        bits->of[turn] = 0;
    }
    return taken;
}

static size_t take_counts(struct node_turns *turns, enum node_turn turn)
{
    size_t taken = 0;
    for (; turn < NODE_TURNS; turn++) {
        taken += turns->count[turn];
        turns->count[turn] = 0;
    }
    return taken;
}

struct node **node_turns_take(struct master *master, enum node_turn turn, size_t *count)
{
    struct node_turns *turns = &master->turns;
    size_t taken = 0;
    *count = take_counts(turns, turn);
    for (size_t i = 0; taken < *count; i++) {
        uint64_t bits = take_bits(&turns->bits[i], turn);
        for (; bits != 0; bits &= bits - 1)
            turns->taken[taken++] = turns->nodes[64 * i + (size_t)__builtin_ctzll(bits)];
    }
    for (size_t i = 0; i < taken; i++) {
        __builtin_prefetch(turns->taken[i + AHEAD < taken ? i + AHEAD : i]);
        turns->taken[i]->turn = NODE_RESTS;
    }
    return turns->taken;
}

void node_turns_free(struct master *master)
{
    free(master->turns.nodes);
    free(master->turns.taken);
    free(master->turns.bits);
}
