// SPDX-License-Identifier: Apache-2.0
//
// Agents that nothing is offered of: those that an operator has deactivated, and those that drain.
// An agent that drains is deactivated and ends its tasks; it is drained when the master knows of no
// task and no operation there any more, and is then marked gone if that was asked for. An agent
// that is away hears of it when it is back.
//
// What removes a task or an operation of a node (node_drain_note()), or brings the agent back,
// queues `check`, which does the rest.

#ifndef MESOS_LUA_MASTER_NODE_DRAIN_H
#define MESOS_LUA_MASTER_NODE_DRAIN_H

#include "loop/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct node;

enum node_drain_state {
    NODE_DRAIN_NONE,
    NODE_DRAIN_RUNS,
    NODE_DRAIN_DONE,
};

struct node_drain {
    enum node_drain_state state;
    bool told;             // the agent has heard of it
    bool mark_gone;        // when it is drained
    int64_t longest_grace; // of its tasks, in nanoseconds; negative: as long as theirs is
    double started;        // seconds since the epoch; 0: the agent was away
    struct deferral check;
};

void node_drain_init(struct node *node);

// A task or an operation of the node is removed.
static inline void node_drain_note(struct node_drain *drain)
{
    if (drain->state == NODE_DRAIN_RUNS)
        deferral_queue(&drain->check);
}

// Nothing of it is offered any more, and what is offered is rescinded, until it is activated.
void node_drain_deactivate(struct node *node);
void node_drain_activate(struct node *node); // also one that still drains

// Begins to drain it; of one that drains already, the new settings count.
void node_drain_start(struct node *node, int64_t longest_grace, bool mark_gone);

// It does not drain any more, and stays deactivated: it is gone, or a new master knows nothing of
// it. Does nothing to the agent.
void node_drain_forget(struct node *node);

#endif
