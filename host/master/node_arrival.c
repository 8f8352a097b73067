// SPDX-License-Identifier: Apache-2.0
//
// An agent that comes, and what it reports from then on; see the header.

#include "master/node_arrival.h"

#include "base/log.h"
#include "base/memory.h"
#include "master/agent_loss.h"
#include "master/machines.h"
#include "master/master_internal.h"
#include "master/node_drain.h"
#include "master/node_info.h"
#include "master/node_link.h"
#include "master/update_faults.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <inttypes.h>
#include <stdlib.h>

// ---- what agents report ----

// NULL also if an agent that was removed reports about its task, whose id is free again.
static struct master_task *find_task(const struct node *node, const char *framework_id,
                                     const char *id)
{
    struct master_framework *framework = master_records_framework(node->master, framework_id);
    struct master_task *task = framework ? master_records_task(framework, id) : NULL;
    return task != NULL && task->node == node ? task : agent_loss_absent(node, framework_id, id);
}

static void on_entered(void *data, const char *framework_id, const char *task_id,
                       Mesos__V1__TaskState state)
{
    const struct node *node = data;
    struct master_task *task = find_task(node, framework_id, task_id);
    if (task == NULL)
        return;
    task->reported = state;
    if (node_link_hears(node))
        master_records_take_state(task);
}

static void note_checks(struct master_task *task, const struct status_update *update)
{
    task->has_healthy = update->has_healthy;
    task->healthy = update->healthy;
    if (!update->has_check)
        return;
    struct slice check = wire_find(update->status, FIELD_TASK_STATUS_CHECK_STATUS);
    if (task->check != NULL)
        mesos__v1__check_status_info__free_unpacked(task->check, NULL);
    task->check = mesos__v1__check_status_info__unpack(NULL, check.length, check.data);
}

static void on_update(void *data, const char *framework_id, const char *task_id,
                      struct status_update *update)
{
    const struct node *node = data;
    struct master_task *task = find_task(node, framework_id, task_id);
    if (task == NULL || !node_link_hears(node))
        return;
    task->forwarded = update->state;
    history_task_status(task, update);
    if (update->has_container && task->container == NULL)
        task->container = bytes_ref(task->record->container);
    note_checks(task, update);
    update_faults_send(task, update);
}

static void on_executor_ended(void *data, const char *framework_id, const char *executor_id,
                              int status)
{
    const struct node *node = data;
    struct master_framework *framework = master_records_framework(node->master, framework_id);
    struct master_executor *executor =
        framework ? master_records_executor(framework, node, executor_id) : NULL;
    if (executor == NULL || !node_link_hears(node))
        return;
    log_debug("executor %s of framework %s on agent %s has ended with wait status %d", executor_id,
              framework_id, node->id, status);
    master_records_remove_executor(executor);
    master_events_send_executor_failure(framework, node->id, executor_id, status);
}

static void on_message(void *data, const char *framework_id, const char *executor_id,
                       const ProtobufCBinaryData *bytes)
{
    const struct node *node = data;
    struct master_framework *framework = master_records_framework(node->master, framework_id);
    if (framework != NULL && node_link_hears(node))
        master_events_send_message(framework, node->id, executor_id, bytes);
}

// ---- coming ----

void node_arrival_add(struct master *master, const struct resources *resources,
                      struct agent_description *description)
{
    static const struct agent_events events = {.entered = on_entered,
                                               .update = on_update,
                                               .executor_ended = on_executor_ended,
                                               .message = on_message,
                                               .operation_update = operations_updated};
    const char *hostname = description->hostname ? description->hostname : master->hostname;
    if (machines_refuse(master, hostname, resources, description))
        return;
    struct node *node = memory_new(sizeof *node);
    node->master = master;
    node->id = memory_format("%s-S%" PRIu64, master->id, master->next_agent_id++);
    node->number = (unsigned)++master->next_node;
    resources_copy(&node->total, resources);
    resources_copy(&node->free, resources);
    node->hostname = memory_string(hostname);
    node->description = *description;
    *description = (struct agent_description){0};
    TAILQ_INIT(&node->offers);
    TAILQ_INIT(&node->tasks);
    TAILQ_INIT(&node->executors);
    TAILQ_INIT(&node->evacuations);
    agent_loss_init(node);
    node_drain_init(node);
    node->gpus = resources_scalar(resources, "gpus") > 0;
    Mesos__V1__AgentInfo *info = node_info(node);
    const struct agent_options options = {
        .info = info,
        .number = node->number,
        .secret = master->secret,
        .ip = master->ip,
        .work_dir = master->work_dir,
        .path = master->path,
        .switch_users = master->switch_users,
        .registration_timeout = master->registration_timeout,
        .runner = master->runner,
    };
    node->agent = agent_create(master->loop, &options, &events, node);
    mesos__v1__agent_info__free_unpacked(info, NULL);
    string_map_put(&master->node_table, &node->entry, node->id, node);
    TAILQ_INSERT_TAIL(&master->nodes, node, link);
    machines_join(node, node->hostname);
    master_records_add_node(node);
    history_agent_added(node);
    node_turns_wake(node, NODE_HURRIES, NULL);
}
