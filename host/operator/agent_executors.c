// SPDX-License-Identifier: Apache-2.0
//
// Executors by tasks; see the header. The executor of a command has the id of its task.

#include "operator/agent_executors.h"

#include "agent/agent.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static const char *executor_of(const Mesos__V1__Task *task)
{
    for (size_t i = task->n_statuses; i-- > 0;)
        if (task->statuses[i]->executor_id != NULL)
            return task->statuses[i]->executor_id->value;
    return task->executor_id ? task->executor_id->value : task->task_id->value;
}

static const Mesos__V1__ContainerStatus *container_of(const Mesos__V1__Task *task)
{
    for (size_t i = task->n_statuses; i-- > 0;) {
        const Mesos__V1__ContainerStatus *status = task->statuses[i]->container_status;
        if (status != NULL && status->container_id != NULL)
            return status;
    }
    return NULL;
}

// A task of a group is in a container inside that of its executor.
static const char *container_id_of(const Mesos__V1__Task *task)
{
    const Mesos__V1__ContainerStatus *status = container_of(task);
    const Mesos__V1__ContainerID *id = status ? status->container_id : NULL;
    while (id != NULL && id->parent != NULL)
        id = id->parent;
    return id ? id->value : "";
}

bool agent_executors_ended(const Mesos__V1__Task *task)
{
    return agent_terminal(task->state);
}

// The executor of a command has no other task.
static struct executor_view *find(struct executor_list *list, const char *id,
                                  const char *container_id, bool shared)
{
    for (size_t i = shared ? list->count : 0; i-- > 0;) {
        struct executor_view *executor = &list->items[i];
        if (strcmp(executor->id, id) == 0 && strcmp(executor->container_id, container_id) == 0)
            return executor;
    }
    list->items = memory_resize(list->items, (list->count + 1) * sizeof *list->items);
    list->items[list->count] = (struct executor_view){.id = id, .container_id = container_id};
    return &list->items[list->count++];
}

static void add(struct executor_list *list, const struct node *node,
                const struct task_record *record)
{
    if (record->node != node->number)
        return;
    Mesos__V1__Task *task = task_record_message(record);
    const Mesos__V1__ContainerStatus *container = container_of(task);
    const char *id = executor_of(task);
    struct executor_view *executor =
        find(list, id, container_id_of(task), strcmp(id, task->task_id->value) != 0);
    executor->tasks =
        memory_resize(executor->tasks, (executor->task_count + 1) * sizeof(Mesos__V1__Task *));
    executor->tasks[executor->task_count++] = task;
    executor->running = executor->running || !agent_terminal(task->state);
    if (container != NULL && container->has_executor_pid)
        executor->pid = container->executor_pid;
}

void agent_executors_list(struct executor_list *list, const struct node *node,
                          const struct master_framework *live, const struct framework_past *past)
{
    const struct master_task *task;
    const struct task_record *record;
    *list = (struct executor_list){0};
    if (live != NULL)
        TAILQ_FOREACH(task, &live->tasks, link)
    add(list, node, task->record);
    TAILQ_FOREACH(record, &past->completed.list, link)
    add(list, node, record);
}

void agent_executors_free(struct executor_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        for (size_t j = 0; j < list->items[i].task_count; j++)
            mesos__v1__task__free_unpacked(list->items[i].tasks[j], NULL);
        free(list->items[i].tasks);
    }
    free(list->items);
}

char *agent_executors_directory(const struct executor_view *executor, const struct node *node,
                                const char *framework_id)
{
    bool known = *executor->container_id != '\0';
    return memory_format("%s/slaves/%s/frameworks/%s/executors/%s/runs/%s", node->master->work_dir,
                         node->id, framework_id, executor->id,
                         known ? executor->container_id : "latest");
}
