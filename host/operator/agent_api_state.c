// SPDX-License-Identifier: Apache-2.0
//
// The state of an agent for its v1 operator API; see the header.

#include "operator/agent_api_state.h"

#include "operator/agent_executors.h"
#include "operator/process_usage.h"

#include "mesos/v1/agent/agent.pb-c.h"

// ---- tasks ----

static void write_record(struct response_writer *writer, const struct task_record *record)
{
    Mesos__V1__Task *task = task_record_message(record);
    response_writer_item(writer, &task->base);
    mesos__v1__task__free_unpacked(task, NULL);
}

// Of the tasks that the framework has: those that have ended, or the others.
static void write_tasks(struct response_writer *writer, const char *field, const struct node *node,
                        bool ended)
{
    const struct master_framework *framework;
    const struct master_task *task;
    response_writer_list(writer, field);
    TAILQ_FOREACH(framework, &node->master->frameworks, link)
    TAILQ_FOREACH(task, &framework->tasks, link)
    if (task->node == node && agent_terminal(task->state) == ended)
        write_record(writer, task->record);
    response_writer_end(writer);
}

static void write_past(struct response_writer *writer, const struct node *node,
                       const struct framework_past *past)
{
    const struct task_record *record;
    TAILQ_FOREACH(record, &past->completed.list, link)
    if (record->node == node->number)
        write_record(writer, record);
}

void agent_api_state_tasks(struct response_writer *writer, const struct node *node)
{
    const struct master_framework *framework;
    const struct completed *completed;
    write_tasks(writer, "launched_tasks", node, false);
    write_tasks(writer, "terminated_tasks", node, true);
    response_writer_list(writer, "completed_tasks");
    TAILQ_FOREACH(framework, &node->master->frameworks, link)
    write_past(writer, node, &framework->past);
    TAILQ_FOREACH(completed, &node->master->completed, link)
    write_past(writer, node, &completed->past);
    response_writer_end(writer);
}

// ---- executors and frameworks ----

// What is written about each framework that is or was on the agent.
typedef void (*write_on_agent)(struct response_writer *writer, const struct framework_view *view,
                               const struct executor_list *list, const struct node *node,
                               bool running);

static void write_view(struct response_writer *writer, const struct framework_view *view,
                       const struct node *node, bool running, write_on_agent write)
{
    struct executor_list list;
    agent_executors_list(&list, node, view->live, view->past);
    if (list.count > 0)
        write(writer, view, &list, node, running);
    agent_executors_free(&list);
}

static void write_all(struct response_writer *writer, const char *field, const struct node *node,
                      bool running, write_on_agent write)
{
    const struct master_framework *framework;
    const struct completed *completed;
    response_writer_list(writer, field);
    TAILQ_FOREACH(framework, &node->master->frameworks, link)
    {
        const struct framework_view view = {.id = framework->id,
                                            .info = framework->info,
                                            .past = &framework->past,
                                            .live = framework};
        write_view(writer, &view, node, running, write);
    }
    TAILQ_FOREACH(completed, &node->master->completed, link)
    {
        const struct framework_view view = {
            .id = completed->id, .info = completed->info, .past = &completed->past};
        write_view(writer, &view, node, running, write);
    }
    response_writer_end(writer);
}

static void write_executors(struct response_writer *writer, const struct framework_view *view,
                            const struct executor_list *list, const struct node *node, bool running)
{
    (void)node;
    for (size_t i = 0; i < list->count; i++) {
        Mesos__V1__Agent__Response__GetExecutors__Executor message =
            MESOS__V1__AGENT__RESPONSE__GET_EXECUTORS__EXECUTOR__INIT;
        Mesos__V1__ExecutorInfo info = MESOS__V1__EXECUTOR_INFO__INIT;
        Mesos__V1__ExecutorID id = MESOS__V1__EXECUTOR_ID__INIT;
        if (list->items[i].running != running)
            continue;
        id.value = (char *)(uintptr_t)list->items[i].id;
        info.executor_id = &id;
        info.framework_id = view->info->id;
        message.executor_info = &info;
        response_writer_item(writer, &message.base);
    }
}

void agent_api_state_executors(struct response_writer *writer, const struct node *node)
{
    write_all(writer, "executors", node, true, write_executors);
    write_all(writer, "completed_executors", node, false, write_executors);
}

static void write_framework(struct response_writer *writer, const struct framework_view *view,
                            const struct executor_list *list, const struct node *node, bool running)
{
    Mesos__V1__Agent__Response__GetFrameworks__Framework message =
        MESOS__V1__AGENT__RESPONSE__GET_FRAMEWORKS__FRAMEWORK__INIT;
    bool any = false;
    (void)node;
    for (size_t i = 0; i < list->count; i++)
        any = any || list->items[i].running;
    message.framework_info = (Mesos__V1__FrameworkInfo *)(uintptr_t)view->info;
    if (any == running)
        response_writer_item(writer, &message.base);
}

void agent_api_state_frameworks(struct response_writer *writer, const struct node *node)
{
    write_all(writer, "frameworks", node, true, write_framework);
    write_all(writer, "completed_frameworks", node, false, write_framework);
}

void agent_api_state(struct response_writer *writer, const struct node *node)
{
    response_writer_open(writer, "get_tasks");
    agent_api_state_tasks(writer, node);
    response_writer_close(writer);
    response_writer_open(writer, "get_executors");
    agent_api_state_executors(writer, node);
    response_writer_close(writer);
    response_writer_open(writer, "get_frameworks");
    agent_api_state_frameworks(writer, node);
    response_writer_close(writer);
}

// ---- containers ----

static void write_container(struct response_writer *writer, const struct framework_view *view,
                            const struct executor_view *executor, const struct node *node)
{
    Mesos__V1__Agent__Response__GetContainers__Container message =
        MESOS__V1__AGENT__RESPONSE__GET_CONTAINERS__CONTAINER__INIT;
    Mesos__V1__ExecutorID id = MESOS__V1__EXECUTOR_ID__INIT;
    Mesos__V1__ContainerID container_id = MESOS__V1__CONTAINER_ID__INIT;
    Mesos__V1__ContainerStatus status = MESOS__V1__CONTAINER_STATUS__INIT;
    Mesos__V1__ResourceStatistics statistics = MESOS__V1__RESOURCE_STATISTICS__INIT;
    id.value = (char *)(uintptr_t)executor->id;
    container_id.value = (char *)(uintptr_t)executor->container_id;
    status.container_id = &container_id;
    status.has_executor_pid = executor->pid > 0;
    status.executor_pid = (uint32_t)executor->pid;
    statistics.timestamp = loop_wall(node->master->loop);
    process_usage_fill(&statistics, executor->pid);
    message.framework_id = view->info->id;
    message.executor_id = &id;
    message.executor_name = "";
    message.container_id = &container_id;
    message.container_status = &status;
    message.resource_statistics = &statistics;
    response_writer_item(writer, &message.base);
}

static void write_containers(struct response_writer *writer, const struct framework_view *view,
                             const struct executor_list *list, const struct node *node,
                             bool running)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].running == running && *list->items[i].container_id != '\0')
            write_container(writer, view, &list->items[i], node);
}

void agent_api_state_containers(struct response_writer *writer, const struct node *node)
{
    write_all(writer, "containers", node, true, write_containers);
}
