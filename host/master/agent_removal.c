// SPDX-License-Identifier: Apache-2.0
//
// The removal of an agent while the cluster runs. Frameworks hear of it at once: their tasks are
// lost, their offers rescinded. The agent itself ends its tasks as one that shuts down, and is
// destroyed when none is left; until then its node is in the list `leaving`, where no call finds
// it.

#include "master/machines.h"
#include "master/master_internal.h"
#include "master/node_executors.h"

#include "base/log.h"
#include "base/memory.h"
#include "master/node_link.h"

#include <stdlib.h>

#define SHUTDOWN_GRACE (5 * LOOP_SECOND) // that of executors

static void lose_task(struct master_task *task, const char *cause)
{
    const struct node *node = task->node;
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
    agent_id.value = node->id;
    char *message = memory_format("Agent %s removed: %s", node->hostname, cause);
    const struct master_updates_text text = {
        .state = MESOS__V1__TASK_STATE__TASK_LOST,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_REMOVED,
        .message = message};
    master_updates_send(task->framework, task->id, &agent_id, &text, NULL);
    history_task_ended(task, text.state, text.reason, message);
    master_records_remove_task(task);
    free(message);
}

static void lose_tasks(struct node *node, const char *cause)
{
    while (!TAILQ_EMPTY(&node->tasks))
        lose_task(TAILQ_FIRST(&node->tasks), cause);
}

// The node leaves the books: no call, and no report of the agent, finds it any more.
static void take_out(struct node *node)
{
    struct master *master = node->master;
    string_map_remove(&master->node_table, &node->entry);
    TAILQ_REMOVE(&master->nodes, node, link);
    TAILQ_INSERT_TAIL(&master->leaving, node, link);
}

static void on_stopped(void *data)
{
    struct node *node = data;
    TAILQ_REMOVE(&node->master->leaving, node, link);
    master_records_free_node(node);
}

void agent_removal_start(struct node *node, const char *cause)
{
    struct master *master = node->master;
    struct master_framework *framework;
    log_info("agent %s is removed: %s", node->id, cause);
    node_link_cut(node);
    timer_stop(&node->patience);
    node->drain.state = NODE_DRAIN_NONE;
    take_out(node);
    lose_tasks(node, cause);
    operations_lose(node, MESOS__V1__OPERATION_STATE__OPERATION_UNKNOWN, NULL);
    node_executors_forget(node, NULL);
    while (!TAILQ_EMPTY(&node->offers))
        master_records_rescind_offer(TAILQ_FIRST(&node->offers));
    inverse_offers_forget_node(node);
    machines_leave(node);
    offer_filters_clear_node(node);
    node_turns_forget(node);
    master_records_remove_node(node);
    TAILQ_FOREACH(framework, &master->frameworks, link)
    {
        master_events_send_agent_failure(framework, node->id);
    }
    history_agent_removed(node);
    agent_stop(node->agent, SHUTDOWN_GRACE, on_stopped, node);
}
