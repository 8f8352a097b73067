// SPDX-License-Identifier: Apache-2.0
//
// Sums for a document; see the header.

#include "operator/usage.h"

#include "base/memory.h"

#include <stdlib.h>

static void count_task(struct usage *usage, const struct task_record *record)
{
    if ((size_t)record->state < HISTORY_STATES)
        usage->states[record->state]++;
}

static void add_task(struct usage *usage, const struct master_task *task)
{
    struct resources held;
    if (task->holds) {
        resources_packed_open(&held, task->resources);
        resources_add(&usage->used, &held);
        resources_free(&held);
    }
    count_task(usage, task->record);
}

static void add_offer(struct usage *usage, const struct master_offer *offer)
{
    struct resources offered;
    resources_copy(&offered, &offer->resources);
    resources_allocate(&offered, offer->role);
    resources_add(&usage->offered, &offered);
    resources_free(&offered);
}

void usage_of_framework(struct usage *usage, const struct master_framework *framework)
{
    const struct master_task *task;
    const struct master_offer *offer;
    const struct master_executor *executor;
    const struct task_record *record;
    *usage = (struct usage){0};
    TAILQ_FOREACH(executor, &framework->executors, of_framework)
    resources_add(&usage->used, &executor->resources);
    TAILQ_FOREACH(task, &framework->tasks, link)
    add_task(usage, task);
    TAILQ_FOREACH(offer, &framework->offers, of_framework)
    add_offer(usage, offer);
    TAILQ_FOREACH(record, &framework->past.unreachable.list, link)
    count_task(usage, record);
    TAILQ_FOREACH(record, &framework->past.completed.list, link)
    count_task(usage, record);
}

static void count_past(struct node_usages *usages, const struct past_tasks *tasks)
{
    const struct task_record *record;
    TAILQ_FOREACH(record, &tasks->list, link)
    count_task(&usages->items[record->node], record);
}

void usage_of_nodes(struct node_usages *usages, const struct master *master)
{
    const struct master_framework *framework;
    const struct master_executor *executor;
    const struct master_task *task;
    const struct master_offer *offer;
    usages->count = (size_t)master->next_node + 1;
    usages->items = memory_new(usages->count * sizeof *usages->items);
    TAILQ_FOREACH(framework, &master->frameworks, link)
    {
        TAILQ_FOREACH(task, &framework->tasks, link)
        add_task(&usages->items[task->node->number], task);
        TAILQ_FOREACH(executor, &framework->executors, of_framework)
        resources_add(&usages->items[executor->node->number].used, &executor->resources);
        TAILQ_FOREACH(offer, &framework->offers, of_framework)
        add_offer(&usages->items[offer->node->number], offer);
        count_past(usages, &framework->past.unreachable);
        count_past(usages, &framework->past.completed);
    }
}

const struct usage *usage_of_node(const struct node_usages *usages, const struct node *node)
{
    return &usages->items[node->number];
}

void usage_free(struct usage *usage)
{
    resources_free(&usage->used);
    resources_free(&usage->offered);
}

void usage_free_nodes(struct node_usages *usages)
{
    for (size_t i = 0; i < usages->count; i++)
        usage_free(&usages->items[i]);
    free(usages->items);
    *usages = (struct node_usages){0};
}
