// SPDX-License-Identifier: Apache-2.0
//
// Agents that nothing is offered of; see the header.

#include "master/node_drain.h"

#include "agent/agent_drain.h"
#include "base/log.h"
#include "master/agent_loss.h"
#include "master/inverse_offers.h"
#include "master/master_internal.h"
#include "master/node_link.h"

static bool has_operations(const struct master_framework *framework, const struct node *node)
{
    const struct master_operation *operation;
    TAILQ_FOREACH(operation, &framework->operations, link)
    if (operation->node == node)
        return true;
    return false;
}

// Tasks and operations count until the end of them was acknowledged.
static bool is_empty(const struct node *node)
{
    const struct master_framework *framework;
    TAILQ_FOREACH(framework, &node->master->frameworks, link)
    if (has_operations(framework, node))
        return false;
    return TAILQ_EMPTY(&node->tasks);
}

static void finish(struct node *node)
{
    node->drain.state = NODE_DRAIN_DONE;
    log_info("agent %s is drained", node->id);
    if (node->drain.mark_gone)
        agent_loss_mark_gone(node);
}

static void on_check(void *data)
{
    struct node *node = data;
    struct node_drain *drain = &node->drain;
    if (drain->state == NODE_DRAIN_NONE || node->state > NODE_DISCONNECTED)
        return;
    if (!drain->told && node_link_hears(node)) {
        drain->told = true;
        agent_drain_start(node->agent, drain->longest_grace, drain->mark_gone);
    }
    if (drain->state == NODE_DRAIN_RUNS && is_empty(node))
        finish(node);
}

void node_drain_init(struct node *node)
{
    deferral_init(&node->drain.check, node->master->loop, on_check, node);
}

void node_drain_deactivate(struct node *node)
{
    node->deactivated = true;
    while (!TAILQ_EMPTY(&node->offers))
        master_records_rescind_offer(TAILQ_FIRST(&node->offers));
    inverse_offers_forget_node(node);
}

void node_drain_activate(struct node *node)
{
    node->deactivated = false;
    node_drain_forget(node);
    agent_drain_end(node->agent);
    node_turns_wake(node, NODE_HURRIES, NULL);
}

void node_drain_start(struct node *node, int64_t longest_grace, bool mark_gone)
{
    struct node_drain *drain = &node->drain;
    bool here = node->state <= NODE_DISCONNECTED;
    log_info("agent %s is going to be drained%s", node->id,
             mark_gone ? ", and marked gone after that" : "");
    drain->state = NODE_DRAIN_RUNS;
    drain->told = false;
    drain->longest_grace = longest_grace;
    drain->mark_gone = mark_gone;
    drain->started = here ? loop_wall(node->master->loop) : 0;
    node_drain_deactivate(node);
    on_check(node);
}

void node_drain_forget(struct node *node)
{
    node->drain.state = NODE_DRAIN_NONE;
    node->drain.started = 0;
}
