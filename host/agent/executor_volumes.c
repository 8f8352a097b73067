// SPDX-License-Identifier: Apache-2.0
//
// Volumes of executors: see executor_volumes.h.

#include "agent/executor_volumes.h"

#include "base/memory.h"
#include "offers/resources.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Resource Resource;

// Resources that are borrowed.
struct borrowed {
    Resource **items;
    size_t count;
};

static void borrow(struct borrowed *list, Resource *const *items, size_t count)
{
    list->items = memory_resize(list->items, (list->count + count + 1) * sizeof *list->items);
    for (size_t i = 0; i < count; i++)
        list->items[list->count++] = items[i];
}

// All that the executor and its tasks have.
static struct borrowed resources_of(const struct agent_executor *executor)
{
    struct borrowed list = {0};
    const struct agent_task *task;
    borrow(&list, executor->info->resources, executor->info->n_resources);
    TAILQ_FOREACH(task, &executor->tasks, link)
    if (task->phase != TASK_TERMINATED)
        borrow(&list, task->info->resources, task->info->n_resources);
    return list;
}

static struct task_volumes_place place_of(const struct agent_executor *executor)
{
    const struct agent *agent = executor->agent;
    return (struct task_volumes_place){
        .runner = agent->runs.runner, .work_dir = agent->work_dir, .agent_id = agent->id};
}

bool executor_volumes_prepare(struct task_volumes *volumes, const struct agent_executor *executor,
                              struct error *err)
{
    const struct task_volumes_place place = place_of(executor);
    struct borrowed list = resources_of(executor);
    bool good = task_volumes_prepare(volumes, &place, list.items, list.count, err);
    free(list.items);
    return good;
}

bool executor_volumes_link_own(const struct agent_executor *executor, struct error *err)
{
    const struct task_volumes_place place = place_of(executor);
    const struct runner_ops *ops = place.runner->ops;
    const Mesos__V1__ExecutorInfo *info = executor->info;
    struct task_volumes own;
    char *sandbox = agent_records_sandbox(executor);
    bool good = task_volumes_prepare(&own, &place, info->resources, info->n_resources, err) &&
                (own.count == 0 || ops->make_volume(place.runner, sandbox, err));
    for (size_t i = 0; i < own.count && good; i++)
        good = ops->link(place.runner, sandbox, &own.links[i], executor->user, err);
    task_volumes_free(&own);
    free(sandbox);
    return good;
}

bool executor_volumes_add(struct task_volumes *volumes, const struct agent_executor *executor,
                          const struct agent_task *task, struct error *err)
{
    const struct task_volumes_place place = place_of(executor);
    struct task_volumes own;
    char *sandbox = agent_records_sandbox(executor);
    bool good =
        task_volumes_prepare(&own, &place, task->info->resources, task->info->n_resources, err);
    for (size_t i = 0; i < own.count && good; i++)
        good = place.runner->ops->link(place.runner, sandbox, &own.links[i], executor->user, err);
    if (good)
        task_volumes_move(volumes, &own);
    task_volumes_free(&own);
    free(sandbox);
    return good;
}

static bool needs(const struct borrowed *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (resource_is_volume(list->items[i]) &&
            strcmp(list->items[i]->disk->volume->container_path, name) == 0)
            return true;
    return false;
}

void executor_volumes_drop(struct task_volumes *volumes, const struct agent_executor *executor)
{
    struct runner *runner = executor->agent->runs.runner;
    struct borrowed list = resources_of(executor);
    char *sandbox = agent_records_sandbox(executor);
    for (size_t i = 0; i < volumes->count;) {
        if (needs(&list, volumes->links[i].name)) {
            i++;
            continue;
        }
        runner->ops->unlink(runner, sandbox, volumes->links[i].name);
        task_volumes_remove(volumes, i);
    }
    free(sandbox);
    free(list.items);
}
