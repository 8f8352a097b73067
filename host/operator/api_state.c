// SPDX-License-Identifier: Apache-2.0
//
// The state for the v1 operator API; see the header.

#include "operator/api_state.h"

#include "operator/api_messages.h"

// ---- tasks ----

static void write_record(struct response_writer *writer, const struct task_record *record)
{
    Mesos__V1__Task *task = task_record_message(record);
    response_writer_item(writer, &task->base);
    mesos__v1__task__free_unpacked(task, NULL);
}

static void write_records(struct response_writer *writer, const struct past_tasks *tasks)
{
    const struct task_record *record;
    TAILQ_FOREACH(record, &tasks->list, link)
    write_record(writer, record);
}

void api_state_tasks(struct response_writer *writer, const struct master *master)
{
    const struct master_framework *framework;
    const struct completed *completed;
    const struct master_task *task;
    response_writer_list(writer, "tasks");
    TAILQ_FOREACH(framework, &master->frameworks, link)
    TAILQ_FOREACH(task, &framework->tasks, link)
    write_record(writer, task->record);
    response_writer_end(writer);
    response_writer_list(writer, "unreachable_tasks");
    TAILQ_FOREACH(framework, &master->frameworks, link)
    write_records(writer, &framework->past.unreachable);
    response_writer_end(writer);
    response_writer_list(writer, "completed_tasks");
    TAILQ_FOREACH(framework, &master->frameworks, link)
    write_records(writer, &framework->past.completed);
    TAILQ_FOREACH(completed, &master->completed, link)
    write_records(writer, &completed->past.completed);
    response_writer_end(writer);
}

static void write_executor(struct response_writer *writer, const struct master_executor *executor)
{
    Mesos__V1__Master__Response__GetExecutors__Executor message =
        MESOS__V1__MASTER__RESPONSE__GET_EXECUTORS__EXECUTOR__INIT;
    Mesos__V1__AgentID id = MESOS__V1__AGENT_ID__INIT;
    id.value = executor->node->id;
    message.executor_info = executor->info;
    message.agent_id = &id;
    response_writer_item(writer, &message.base);
}

void api_state_executors(struct response_writer *writer, const struct master *master)
{
    const struct master_framework *framework;
    const struct master_executor *executor;
    response_writer_list(writer, "executors");
    TAILQ_FOREACH(framework, &master->frameworks, link)
    TAILQ_FOREACH(executor, &framework->executors, of_framework)
    write_executor(writer, executor);
    response_writer_end(writer);
}

// ---- frameworks ----

static void write_view(struct response_writer *writer, const struct framework_view *view)
{
    struct api_framework framework;
    api_messages_framework(&framework, view);
    response_writer_item(writer, &framework.message.base);
    api_messages_free_framework(&framework);
}

void api_state_frameworks(struct response_writer *writer, const struct master *master)
{
    const struct master_framework *framework;
    const struct completed *completed;
    struct framework_view view;
    response_writer_list(writer, "frameworks");
    TAILQ_FOREACH(framework, &master->frameworks, link)
    {
        framework_json_view(&view, framework);
        write_view(writer, &view);
        framework_json_free(&view);
    }
    response_writer_end(writer);
    response_writer_list(writer, "completed_frameworks");
    TAILQ_FOREACH(completed, &master->completed, link)
    {
        framework_json_view_completed(&view, completed);
        write_view(writer, &view);
    }
    response_writer_end(writer);
}

// ---- agents ----

void api_state_agents(struct response_writer *writer, const struct master *master)
{
    const struct node *node;
    struct node_usages usages;
    usage_of_nodes(&usages, master);
    response_writer_list(writer, "agents");
    TAILQ_FOREACH(node, &master->nodes, link)
    {
        struct api_agent agent = {.pid = NULL};
        api_messages_agent(&agent, node, usage_of_node(&usages, node));
        response_writer_item(writer, &agent.message.base);
        api_messages_free_agent(&agent);
    }
    response_writer_end(writer);
    usage_free_nodes(&usages);
    response_writer_list(writer, "recovered_agents");
    TAILQ_FOREACH(node, &master->lost, link)
    {
        struct api_agent agent = {.pid = NULL};
        if (node->state != NODE_RECOVERED)
            continue;
        api_messages_agent_info(&agent, node);
        response_writer_item(writer, &agent.info.base);
    }
    response_writer_end(writer);
}

// ---- the whole ----

void api_state(struct response_writer *writer, const struct master *master)
{
    response_writer_open(writer, "get_tasks");
    api_state_tasks(writer, master);
    response_writer_close(writer);
    response_writer_open(writer, "get_executors");
    api_state_executors(writer, master);
    response_writer_close(writer);
    response_writer_open(writer, "get_frameworks");
    api_state_frameworks(writer, master);
    response_writer_close(writer);
    response_writer_open(writer, "get_agents");
    api_state_agents(writer, master);
    response_writer_close(writer);
}
