// SPDX-License-Identifier: Apache-2.0
//
// Agents that are lost and come back: see agent_loss.h. The order of what frameworks hear is that
// of a real master: updates of tasks, rescinded offers, the failure of the agent.

#include "master/agent_loss.h"

#include "base/log.h"
#include "base/memory.h"
#include "master/machines.h"
#include "master/master_failover.h"
#include "master/master_internal.h"
#include "master/node_executors.h"
#include "master/node_link.h"

#include <stdlib.h>
#include <string.h>

#define HEALTH_CHECK "health check timed out"

// ---- telling frameworks ----

static void rescind_offers(struct node *node)
{
    while (!TAILQ_EMPTY(&node->offers))
        master_records_rescind_offer(TAILQ_FIRST(&node->offers));
}

static void tell_failure(const struct node *node)
{
    struct master_framework *framework;
    TAILQ_FOREACH(framework, &node->master->frameworks, link)
    master_events_send_agent_failure(framework, node->id);
}

static void tell(struct master_task *task, const struct master_updates_text *text,
                 const struct master_task *details)
{
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
    agent_id.value = task->node->id;
    master_updates_send(task->framework, task->id, &agent_id, text, details);
}

// ---- losing tasks ----

// How the tasks of a node are lost: what their frameworks hear, and whether the agent keeps them.
struct task_loss {
    struct master_updates_text plain, aware; // for frameworks without and with PARTITION_AWARE
    bool kept;
    bool uncheckpointed;                  // only tasks of frameworks that do not checkpoint
    Mesos__V1__OperationState operations; // what their operations become, and why
    const char *operations_message;
};

// Operators see it among the unreachable ones, and the agent keeps it.
static void detach_unreachable(struct master_task *task)
{
    history_task_unreachable(task);
    master_records_detach_task(task);
}

static void lose_task(struct master_task *task, const struct task_loss *loss)
{
    const struct master_updates_text *text =
        task->framework->partition_aware ? &loss->aware : &loss->plain;
    tell(task, text, NULL);
    if (!agent_terminal(task->state))
        history_task_ended(task, text->state, text->reason, text->message);
    if (loss->kept)
        detach_unreachable(task);
    else
        master_records_remove_task(task);
}

static void lose_tasks(struct node *node, const struct task_loss *loss)
{
    for (struct master_task *task = TAILQ_FIRST(&node->tasks), *next; task != NULL; task = next) {
        next = TAILQ_NEXT(task, of_node);
        if (!loss->uncheckpointed || !task->framework->info->checkpoint)
            lose_task(task, loss);
    }
}

static void lose(struct node *node, const struct task_loss *loss, enum node_state state)
{
    timer_stop(&node->patience);
    operations_lose(node, loss->operations, loss->operations_message);
    lose_tasks(node, loss);
    rescind_offers(node);
    inverse_offers_forget_node(node);
    machines_leave(node);
    tell_failure(node);
    history_agent_removed(node);
    master_records_lose_node(node, state);
}

// ---- the ways to be lost ----

static void make_unreachable(struct node *node, const char *message)
{
    int64_t now = (int64_t)(loop_wall(node->master->loop) * 1e9);
    const struct task_loss loss = {
        .plain = {.state = MESOS__V1__TASK_STATE__TASK_LOST,
                  .reason = MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_REMOVED,
                  .message = message,
                  .unreachable_since = now},
        .aware = {.state = MESOS__V1__TASK_STATE__TASK_UNREACHABLE,
                  .reason = MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_REMOVED,
                  .message = message,
                  .unreachable_since = now},
        .kept = true,
        .operations = MESOS__V1__OPERATION_STATE__OPERATION_UNREACHABLE,
        .operations_message = "Agent was marked unreachable",
    };
    log_info("agent %s is unreachable: %s", node->id, message);
    node_link_cut(node);
    node->unreachable_since = now;
    lose(node, &loss, NODE_UNREACHABLE);
}

static void on_patience(void *data)
{
    struct node *node = data;
    if (node->state != NODE_RECOVERED) {
        make_unreachable(node, HEALTH_CHECK);
        return;
    }
    log_info("agent %s did not reregister after the master failover: it is unreachable", node->id);
    node->unreachable_since = (int64_t)(loop_wall(node->master->loop) * 1e9);
    node->state = NODE_UNREACHABLE;
    history_agent_missed(node);
    tell_failure(node);
}

static void await(struct node *node)
{
    if (!timer_active(&node->patience))
        timer_start(&node->patience, node->master->agent_timeout);
}

// Executors of frameworks that do not checkpoint end when they lose their agent.
static void end_uncheckpointed(struct node *node)
{
    struct master_framework *framework;
    TAILQ_FOREACH(framework, &node->master->frameworks, link)
    if (!framework->info->checkpoint) {
        node_executors_forget(node, framework);
        agent_remove_framework(node->agent, framework->id);
    }
}

void agent_loss_kill(struct node *node)
{
    char *message = memory_format("Agent %s disconnected", node->hostname);
    const struct master_updates_text text = {
        .state = MESOS__V1__TASK_STATE__TASK_LOST,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_DISCONNECTED,
        .message = message,
    };
    const struct task_loss loss = {.plain = text, .aware = text, .uncheckpointed = true};
    node_link_cut(node);
    if (node->state == NODE_REGISTERED) {
        log_info("agent %s is disconnected", node->id);
        node->state = NODE_DISCONNECTED;
        rescind_offers(node);
        lose_tasks(node, &loss);
        await(node);
    }
    end_uncheckpointed(node);
    free(message);
}

void agent_loss_silence(struct node *node)
{
    if (node->messages == NODE_LINK_UP)
        node_link_hold(node);
    if (node->state == NODE_REGISTERED)
        await(node);
}

// All that runs there ends at once, and reports nothing.
static void end_agent(struct node *node)
{
    node_link_cut(node);
    while (!TAILQ_EMPTY(&node->absent_tasks))
        master_records_remove_task(TAILQ_FIRST(&node->absent_tasks));
    agent_stop(node->agent, 0, NULL, NULL);
}

bool agent_loss_remove(struct node *node, const char *cause, struct error *err)
{
    if (node->state > NODE_DISCONNECTED)
        return error_set(err, ERROR_REFUSED, "agent %s is not registered at the moment", node->id);
    agent_removal_start(node, cause);
    return true;
}

// Frameworks hear of the tasks of an agent that was unreachable once more.
static void lose_absent_tasks(struct node *node, const struct task_loss *loss)
{
    struct master_task *task;
    TAILQ_FOREACH(task, &node->absent_tasks, link)
    if (task->framework != NULL)
        tell(task, task->framework->partition_aware ? &loss->aware : &loss->plain, NULL);
}

void agent_loss_mark_gone(struct node *node)
{
    static const char message[] = "Agent has been marked gone";
    const struct task_loss loss = {
        .plain = {.state = MESOS__V1__TASK_STATE__TASK_LOST,
                  .reason = MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_REMOVED,
                  .message = message},
        .aware = {.state = MESOS__V1__TASK_STATE__TASK_GONE_BY_OPERATOR,
                  .reason = MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_REMOVED_BY_OPERATOR,
                  .message = message},
        .operations = MESOS__V1__OPERATION_STATE__OPERATION_GONE_BY_OPERATOR,
        .operations_message = message,
    };
    log_info("agent %s is marked gone", node->id);
    if (node->state <= NODE_DISCONNECTED)
        lose(node, &loss, NODE_GONE);
    else if (node->state == NODE_UNREACHABLE)
        lose_absent_tasks(node, &loss);
    node->state = NODE_GONE;
    node->drain.state = NODE_DRAIN_NONE;
    timer_stop(&node->patience);
    end_agent(node);
}

// ---- coming back ----

static void resend_updates(struct node *node)
{
    struct master_framework *framework;
    TAILQ_FOREACH(framework, &node->master->frameworks, link)
    if (framework->connected)
        agent_resend(node->agent, framework->id);
}

// A launch that was lost on the way, as the agent says when the master asks it.
static void drop_task(struct master_task *task)
{
    const struct master_updates_text text = {
        .state = task->framework->partition_aware ? MESOS__V1__TASK_STATE__TASK_DROPPED
                                                  : MESOS__V1__TASK_STATE__TASK_LOST,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION,
        .message = "Reconciliation: task unknown to the agent",
    };
    tell(task, &text, NULL);
    history_task_ended(task, text.state, text.reason, text.message);
    master_records_remove_task(task);
}

// What has happened while the agent could not be reached.
static void take_states(struct node *node)
{
    for (struct master_task *task = TAILQ_FIRST(&node->tasks), *next; task != NULL; task = next) {
        next = TAILQ_NEXT(task, of_node);
        if (task->delivered)
            master_records_take_state(task);
        else if (node->held_count == 0)
            drop_task(task);
    }
}

static void make_up_for_kills(struct node *node)
{
    struct master_task *task;
    TAILQ_FOREACH(task, &node->tasks, of_node)
    if (task->kill_wanted) {
        task->kill_wanted = false;
        agent_kill(node->agent, task->framework->id, task->id, NULL);
    }
}

static void end_completed(struct node *node)
{
    const struct completed *completed;
    TAILQ_FOREACH(completed, &node->master->completed, link)
    agent_remove_framework(node->agent, completed->id);
}

static void end_orphan(struct master_task *task)
{
    char *framework_id = memory_text(task->key, strcspn(task->key, "/"));
    agent_remove_framework(task->node->agent, framework_id);
    master_records_remove_task(task);
    free(framework_id);
}

// Of unreachable tasks only the latest are remembered.
static void make_record(struct master_task *task)
{
    Mesos__V1__TaskInfo info = MESOS__V1__TASK_INFO__INIT;
    Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
    struct resources resources;
    id.value = task->id;
    agent_id.value = task->node->id;
    info.name = task->name;
    info.task_id = &id;
    info.agent_id = &agent_id;
    resources_packed_open(&resources, task->resources);
    history_task_added(task, &info, &resources);
    resources_free(&resources);
}

// The record of a task that was unreachable.
static void regain_record(struct master_task *task)
{
    if (task->record == NULL)
        task->record = framework_past_take(&task->framework->past.unreachable, task->id);
    if (task->record == NULL)
        make_record(task);
    task->record->state = task->state;
}

// A master that took over, and knew of the agent, says nothing of its tasks.
static void take_task(struct master_task *task, enum node_state before)
{
    const struct master_updates_text text = {
        .state = task->reported,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_AGENT_REREGISTERED,
        .message = before == NODE_UNREACHABLE ? "Unreachable agent re-reregistered"
                                              : "Unknown agent reregistered",
    };
    if (master_records_framework(task->node->master, task->framework->id) == NULL)
        past_frameworks_recall(task->node->master, task->framework->id);
    master_records_attach_task(task);
    regain_record(task);
    if (before != NODE_RECOVERED)
        tell(task, &text, task);
}

static void register_again(struct node *node)
{
    enum node_state before = node->state;
    struct master_task *task;
    master_records_register_node(node);
    machines_join(node, node->hostname);
    history_agent_added(node);
    while ((task = TAILQ_FIRST(&node->absent_tasks)) != NULL) {
        if (task->framework == NULL)
            end_orphan(task);
        else if (!task->delivered)
            master_records_remove_task(task); // the agent has never heard of it
        else
            take_task(task, before);
    }
}

bool agent_loss_return(struct node *node, struct error *err)
{
    if (node->state == NODE_GONE)
        return error_set(err, ERROR_REFUSED,
                         "agent %s never comes back: it was marked gone; `add` brings another one",
                         node->id);
    if (node->master->headless) { // it registers when one leads
        node->messages = NODE_LINK_UP;
        return true;
    }
    timer_stop(&node->patience);
    if (node->state != NODE_REGISTERED)
        node->reregistered = loop_wall(node->master->loop);
    if (node->state > NODE_DISCONNECTED) {
        log_info("agent %s has registered again", node->id);
        register_again(node);
    }
    node->state = NODE_REGISTERED;
    node_link_resume(node); // which delivers the launches that were held
    take_states(node);
    end_completed(node);
    node_executors_learn(node);
    resend_updates(node);
    make_up_for_kills(node);
    deferral_queue(&node->drain.check);
    node_turns_wake(node, NODE_HURRIES, NULL);
    return true;
}

// ---- what only the agent knows ----

void agent_loss_forget_framework(struct master_framework *framework)
{
    struct node *node;
    struct master_task *task;
    TAILQ_FOREACH(node, &framework->master->lost, link)
    TAILQ_FOREACH(task, &node->absent_tasks, link)
    if (task->framework == framework)
        task->framework = NULL;
}

struct master_task *agent_loss_absent(const struct node *node, const char *framework_id,
                                      const char *task_id)
{
    if (node->absent.count == 0)
        return NULL;
    char *key = memory_format("%s/%s", framework_id, task_id);
    struct master_task *task = string_map_find(&node->absent, key);
    free(key);
    return task;
}

void agent_loss_free(struct node *node)
{
    timer_stop(&node->patience);
    node_link_cut(node);
    while (!TAILQ_EMPTY(&node->absent_tasks))
        master_records_remove_task(TAILQ_FIRST(&node->absent_tasks));
    string_map_free(&node->absent);
}

void agent_loss_init(struct node *node)
{
    TAILQ_INIT(&node->absent_tasks);
    timer_init(&node->patience, node->master->loop, on_patience, node);
    node_link_init(node);
}
