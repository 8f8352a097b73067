// SPDX-License-Identifier: Apache-2.0
//
// The records of the master; see the header for the invariants that they keep.

#include "master/master_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "wire/message_copy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// ---- looking up ----

struct master_framework *master_records_framework(const struct master *master, const char *id)
{
    return string_map_find(&master->framework_table, id);
}

struct node *master_records_node(const struct master *master, const Mesos__V1__AgentID *id)
{
    return id ? string_map_find(&master->node_table, id->value) : NULL;
}

struct master_offer *master_records_offer(const struct master *master, const char *id)
{
    return string_map_find(&master->offer_table, id);
}

struct master_task *master_records_task(const struct master_framework *framework, const char *id)
{
    return string_map_find(&framework->task_table, id);
}

struct role *master_records_role(const struct master_framework *framework, const char *name)
{
    for (size_t i = 0; i < framework->role_count; i++)
        if (strcmp(framework->roles[i].name, name) == 0)
            return &framework->roles[i];
    return NULL;
}

// ---- shares ----

struct shares master_records_shares(const struct resources *resources)
{
    static const char *const names[SHARES] = {
        [SHARE_CPUS] = "cpus", [SHARE_MEM] = "mem", [SHARE_DISK] = "disk", [SHARE_GPUS] = "gpus"};
    struct shares shares;
    for (size_t i = 0; i < SHARES; i++)
        shares.amount[i] = resources_scalar(resources, names[i]);
    return shares;
}

// Adds to or subtracts from the shares of a role, which the framework may have left.
static void account(struct master_framework *framework, const char *name,
                    const struct resources *resources, int sign)
{
    struct role *role = master_records_role(framework, name);
    if (role == NULL)
        return;
    struct shares shares = master_records_shares(resources);
    for (size_t i = 0; i < SHARES; i++)
        role->allocated.amount[i] += sign * shares.amount[i];
}

// Moves resources from what is free on the node to the role, or back with release(). Free resources
// have no allocation.
static void allocate(struct master_framework *framework, struct node *node, const char *role,
                     struct resources *resources)
{
    resources_allocate(resources, NULL);
    resources_subtract(&node->free, resources);
    resources_allocate(resources, role);
    account(framework, role, resources, 1);
}

static void release(struct master_framework *framework, struct node *node, const char *role,
                    struct resources *resources)
{
    account(framework, role, resources, -1);
    resources_allocate(resources, NULL);
    resources_add(&node->free, resources);
    resources_allocate(resources, role);
}

// ---- offers ----

static void on_offer_timeout(void *data)
{
    struct master_offer *offer = data;
    log_debug("offer %s of framework %s was not answered in time", offer->id, offer->framework->id);
    master_records_rescind_offer(offer);
}

struct master_offer *master_records_make_offer(struct master_framework *framework,
                                               struct node *node, struct role *role,
                                               const struct resources *resources)
{
    struct master *master = framework->master;
    struct master_offer *offer = memory_new(sizeof *offer);
    offer->id = memory_format("%s-O%" PRIu64, master->id, master->next_offer++);
    offer->framework = framework;
    offer->node = node;
    offer->role = memory_string(role->name);
    role->offers++;
    resources_copy(&offer->resources, resources);
    offer->made = loop_now(master->loop);
    timer_init(&offer->timeout, master->loop, on_offer_timeout, offer);
    if (master->offer_timeout > 0)
        timer_start(&offer->timeout, master->offer_timeout);
    allocate(framework, node, offer->role, &offer->resources);
    string_map_put(&master->offer_table, &offer->entry, offer->id, offer);
    TAILQ_INSERT_TAIL(&framework->offers, offer, of_framework);
    TAILQ_INSERT_TAIL(&node->offers, offer, of_node);
    return offer;
}

void master_records_remove_offer(struct master_offer *offer)
{
    struct master_framework *framework = offer->framework;
    timer_stop(&offer->timeout);
    release(framework, offer->node, offer->role, &offer->resources);
    string_map_remove(&framework->master->offer_table, &offer->entry);
    TAILQ_REMOVE(&framework->offers, offer, of_framework);
    TAILQ_REMOVE(&offer->node->offers, offer, of_node);
    resources_free(&offer->resources);
    free(offer->role);
    free(offer->id);
    free(offer);
}

void master_records_rescind_offer(struct master_offer *offer)
{
    master_events_send_rescind(offer);
    master_records_remove_offer(offer);
}

// ---- tasks ----

struct master_task *master_records_add_task(struct master_framework *framework, struct node *node,
                                            const char *role, const Mesos__V1__TaskInfo *info,
                                            const struct resources *resources)
{
    struct master_task *task = memory_new(sizeof *task);
    task->framework = framework;
    task->node = node;
    task->id = memory_string(info->task_id->value);
    task->name = memory_string(info->name);
    task->role = memory_string(role);
    task->state = task->forwarded = MESOS__V1__TASK_STATE__TASK_STAGING;
    task->holds = true;
    resources_copy(&task->resources, resources);
    allocate(framework, node, role, &task->resources);
    string_map_put(&framework->task_table, &task->entry, task->id, task);
    TAILQ_INSERT_TAIL(&framework->tasks, task, link);
    history_task_added(task, info, NULL);
    return task;
}

void master_records_release_task(struct master_task *task)
{
    if (task->holds)
        release(task->framework, task->node, task->role, &task->resources);
    task->holds = false;
}

void master_records_remove_task(struct master_task *task)
{
    master_records_release_task(task);
    history_task_removed(task);
    string_map_remove(&task->framework->task_table, &task->entry);
    TAILQ_REMOVE(&task->framework->tasks, task, link);
    if (task->container != NULL)
        mesos__v1__container_status__free_unpacked(task->container, NULL);
    if (task->check != NULL)
        mesos__v1__check_status_info__free_unpacked(task->check, NULL);
    resources_free(&task->resources);
    free(task->role);
    free(task->name);
    free(task->id);
    free(task);
}

// ---- agents ----

void master_records_free_node(struct node *node)
{
    agent_destroy(node->agent);
    resources_free(&node->total);
    resources_free(&node->free);
    agent_description_free(&node->description);
    free(node->id);
    free(node);
}

// ---- completed frameworks ----

static void forget_oldest(struct master *master)
{
    struct completed *oldest = TAILQ_FIRST(&master->completed);
    TAILQ_REMOVE(&master->completed, oldest, link);
    string_map_remove(&master->completed_table, &oldest->entry);
    master->completed_count--;
    framework_past_free(&oldest->past);
    mesos__v1__framework_info__free_unpacked(oldest->info, NULL);
    free(oldest->id);
    free(oldest);
}

void master_records_add_completed(struct master_framework *framework)
{
    struct master *master = framework->master;
    if (master->completed_count == MASTER_COMPLETED)
        forget_oldest(master);
    framework->past.unregistered = loop_wall(master->loop);
    history_framework_killed(framework);
    while (!TAILQ_EMPTY(&framework->tasks))
        master_records_remove_task(TAILQ_FIRST(&framework->tasks));
    struct completed *completed = memory_new(sizeof *completed);
    completed->id = memory_string(framework->id);
    completed->info = message_copy(&framework->info->base);
    framework_past_move(&completed->past, &framework->past);
    string_map_put(&master->completed_table, &completed->entry, completed->id, completed);
    TAILQ_INSERT_TAIL(&master->completed, completed, link);
    master->completed_count++;
    history_framework_removed(framework);
}

void master_records_forget_completed(struct master *master)
{
    while (master->completed_count > 0)
        forget_oldest(master);
}

bool master_records_completed(const struct master *master, const char *id)
{
    return string_map_find(&master->completed_table, id) != NULL;
}
