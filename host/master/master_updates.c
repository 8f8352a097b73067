// SPDX-License-Identifier: Apache-2.0
//
// Updates that the master itself makes: refusals and answers to reconciliation. They have no uuid,
// so they are not acknowledged.

#include "master/master_internal.h"

#include "base/log.h"

void master_updates_send(struct master_framework *framework, const char *task_id,
                         const Mesos__V1__AgentID *agent_id, const struct master_updates_text *text,
                         const struct master_task *task)
{
    Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
    Mesos__V1__TimeInfo since = MESOS__V1__TIME_INFO__INIT;
    Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
    id.value = (char *)(uintptr_t)task_id;
    status.task_id = &id;
    status.agent_id = (Mesos__V1__AgentID *)(uintptr_t)agent_id;
    status.state = text->state;
    status.has_source = status.has_reason = status.has_timestamp = true;
    status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_MASTER;
    status.reason = text->reason;
    status.message = (char *)(uintptr_t)text->message;
    status.timestamp = loop_wall(framework->master->loop);
    if (text->unreachable_since != 0) {
        since.nanoseconds = text->unreachable_since;
        status.unreachable_time = &since;
    }
    if (task != NULL) {
        status.container_status = task_record_container(task->container);
        status.check_status = task->check;
        status.has_healthy = task->has_healthy;
        status.healthy = task->healthy;
    }
    log_debug("task %s of framework %s: %s", task_id, framework->id, text->message);
    struct status_update *update = status_update_create(&status);
    master_events_send_update(framework, update);
    status_update_unref(update);
    if (status.container_status != NULL)
        mesos__v1__container_status__free_unpacked(status.container_status, NULL);
}

// ---- tasks ----

static void reconcile_known(const struct master_task *task)
{
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
    agent_id.value = task->node->id;
    const struct master_updates_text text = {
        .state = task->forwarded,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION,
        .message = "Reconciliation: Latest task state"};
    master_updates_send(task->framework, task->id, &agent_id, &text, task);
}

// What a master says of a task that it does not know, by what it knows of its agent.
struct unknown_answer {
    Mesos__V1__TaskState aware; // for a framework with PARTITION_AWARE; others hear TASK_LOST
    const char *message;        // NULL: nothing is said
};

static const struct unknown_answer unknown_agent = {MESOS__V1__TASK_STATE__TASK_UNKNOWN,
                                                    "Reconciliation: Task is unknown"};

static const struct unknown_answer unknown_answers[] = {
#define ROW(STATE, TASK, words) [NODE_##STATE] = {MESOS__V1__TASK_STATE__TASK_##TASK, words}
    ROW(REGISTERED, GONE, "Reconciliation: Task is unknown to the agent"),
    ROW(DISCONNECTED, GONE, "Reconciliation: Task is unknown to the agent"),
    ROW(UNREACHABLE, UNREACHABLE, "Reconciliation: Task is unreachable"),
    ROW(RECOVERED, UNKNOWN, NULL),
    ROW(FORGOTTEN, UNKNOWN, "Reconciliation: Task is unknown"),
    ROW(GONE, GONE_BY_OPERATOR, "Reconciliation: Task is gone"),
#undef ROW
};

static bool is_recovering(const struct master *master)
{
    const struct node *node;
    TAILQ_FOREACH(node, &master->lost, link)
    if (node->state == NODE_RECOVERED)
        return true;
    return false;
}

// Nothing is said of a task that may be on an agent which a new master has not heard from yet.
static void reconcile_unknown(struct master_framework *framework, const char *task_id,
                              const Mesos__V1__AgentID *agent_id)
{
    const struct node *node = master_records_any_node(framework->master, agent_id);
    const struct unknown_answer *answer = node ? &unknown_answers[node->state] : &unknown_agent;
    if (answer->message == NULL || (agent_id == NULL && is_recovering(framework->master))) {
        log_debug("task %s of framework %s is not reconciled: agents have not registered yet",
                  task_id, framework->id);
        return;
    }
    const struct master_updates_text text = {
        .state = framework->partition_aware ? answer->aware : MESOS__V1__TASK_STATE__TASK_LOST,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION,
        .message = answer->message,
        .unreachable_since =
            node != NULL && node->state == NODE_UNREACHABLE ? node->unreachable_since : 0,
    };
    master_updates_send(framework, task_id, agent_id, &text, NULL);
}

void master_updates_reconcile(struct master_framework *framework, const char *task_id,
                              const Mesos__V1__AgentID *agent_id)
{
    const struct master_task *task = master_records_task(framework, task_id);
    if (task != NULL)
        reconcile_known(task);
    else
        reconcile_unknown(framework, task_id, agent_id);
}

void master_updates_reconcile_all(struct master_framework *framework)
{
    const struct master_task *task;
    TAILQ_FOREACH(task, &framework->tasks, link)
    reconcile_known(task);
}
