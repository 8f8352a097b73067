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
    if (task != NULL) {
        status.container_status = task->container;
        status.check_status = task->check;
        status.has_healthy = task->has_healthy;
        status.healthy = task->healthy;
    }
    log_debug("task %s of framework %s: %s", task_id, framework->id, text->message);
    master_events_send_update(framework, &status);
}

// ---- tasks ----

static void reconcile_known(const struct master_task *task)
{
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
    agent_id.value = task->node->id;
    const struct master_updates_text text = {task->forwarded,
                                             MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION,
                                             "Reconciliation: Latest task state"};
    master_updates_send(task->framework, task->id, &agent_id, &text, task);
}

static void reconcile_unknown(struct master_framework *framework, const char *task_id,
                              const Mesos__V1__AgentID *agent_id)
{
    bool registered = master_records_node(framework->master, agent_id) != NULL;
    struct master_updates_text text = {MESOS__V1__TASK_STATE__TASK_LOST,
                                       MESOS__V1__TASK_STATUS__REASON__REASON_RECONCILIATION,
                                       registered ? "Reconciliation: Task is unknown to the agent"
                                                  : "Reconciliation: Task is unknown"};
    if (framework->partition_aware)
        text.state =
            registered ? MESOS__V1__TASK_STATE__TASK_GONE : MESOS__V1__TASK_STATE__TASK_UNKNOWN;
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
