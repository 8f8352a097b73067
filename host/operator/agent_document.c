// SPDX-License-Identifier: Apache-2.0
//
// An agent's documents; see the header.

#include "operator/agent_document.h"

#include "base/memory.h"
#include "operator/agent_json.h"
#include "operator/build_facts.h"
#include "operator/framework_json.h"
#include "operator/process_usage.h"
#include "operator/resource_json.h"
#include "operator/task_json.h"

#include <stdlib.h>
#include <string.h>

// ---- executors ----

static void write_tasks(struct json_writer *writer, const char *key,
                        const struct executor_view *executor, bool ended)
{
    json_writer_list(writer, key);
    for (size_t i = 0; i < executor->task_count; i++)
        if (agent_executors_ended(executor->tasks[i]) == ended)
            task_json_message(writer, NULL, executor->tasks[i]);
    json_writer_end(writer);
}

static struct resources resources_of(const struct executor_view *executor)
{
    struct resources sum = {0};
    for (size_t i = 0; i < executor->task_count; i++) {
        const Mesos__V1__Task *task = executor->tasks[i];
        for (size_t j = 0; !agent_executors_ended(task) && j < task->n_resources; j++)
            resources_add_message(&sum, task->resources[j]);
    }
    return sum;
}

static void write_executor(struct json_writer *writer, const struct executor_view *executor,
                           const struct node *node, const char *framework_id)
{
    char *directory = agent_executors_directory(executor, node, framework_id);
    struct resources resources = resources_of(executor);
    json_writer_open(writer, NULL);
    json_writer_text(writer, "id", executor->id);
    json_writer_text(writer, "name", "");
    json_writer_text(writer, "source", executor->id);
    json_writer_text(writer, "container", executor->container_id);
    json_writer_text(writer, "directory", directory);
    resource_json_sums(writer, "resources", &resources);
    write_tasks(writer, "tasks", executor, false);
    json_writer_list(writer, "queued_tasks");
    json_writer_end(writer);
    write_tasks(writer, "completed_tasks", executor, true);
    json_writer_close(writer);
    resources_free(&resources);
    free(directory);
}

static void write_executors(struct json_writer *writer, const char *key,
                            const struct executor_list *list, const struct node *node,
                            const char *framework_id, bool running)
{
    json_writer_list(writer, key);
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].running == running)
            write_executor(writer, &list->items[i], node, framework_id);
    json_writer_end(writer);
}

// ---- frameworks ----

static void write_framework(struct json_writer *writer, const struct framework_view *view,
                            const struct executor_list *list, const struct node *node)
{
    const Mesos__V1__FrameworkInfo *info = view->info;
    json_writer_open(writer, NULL);
    json_writer_text(writer, "id", view->id);
    json_writer_text(writer, "name", info->name);
    json_writer_text(writer, "user", info->user);
    json_writer_double(writer, "failover_timeout", info->failover_timeout);
    json_writer_truth(writer, "checkpoint", info->checkpoint);
    json_writer_text(writer, "hostname", info->hostname);
    if (info->principal != NULL)
        json_writer_text(writer, "principal", info->principal);
    framework_json_roles(writer, info);
    write_executors(writer, "executors", list, node, view->id, true);
    write_executors(writer, "completed_executors", list, node, view->id, false);
    json_writer_close(writer);
}

static bool runs(const struct executor_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].running)
            return true;
    return false;
}

// A framework is on an agent as long as an executor of it is.
static void write_view(struct json_writer *writer, const struct framework_view *view,
                       const struct node *node, bool running)
{
    struct executor_list list;
    agent_executors_list(&list, node, view->live, view->past);
    if (list.count > 0 && runs(&list) == running)
        write_framework(writer, view, &list, node);
    agent_executors_free(&list);
}

static void write_frameworks(struct json_writer *writer, const char *key, const struct node *node,
                             bool running)
{
    const struct master_framework *framework;
    const struct completed *completed;
    json_writer_list(writer, key);
    TAILQ_FOREACH(framework, &node->master->frameworks, link)
    {
        const struct framework_view view = {.id = framework->id,
                                            .info = framework->info,
                                            .past = &framework->past,
                                            .live = framework};
        write_view(writer, &view, node, running);
    }
    TAILQ_FOREACH(completed, &node->master->completed, link)
    {
        const struct framework_view view = {
            .id = completed->id, .info = completed->info, .past = &completed->past};
        write_view(writer, &view, node, running);
    }
    json_writer_end(writer);
}

// ---- /slave(N)/state ----

static void write_resources(struct json_writer *writer, const struct node *node)
{
    struct node_usages usages;
    usage_of_nodes(&usages, node->master);
    const struct resources *used = &usage_of_node(&usages, node)->used;
    resource_json_sums(writer, "resources", &node->total);
    resource_json_reserved(writer, "reserved_resources", &node->total);
    resource_json_unreserved(writer, "unreserved_resources", &node->total);
    resource_json_reserved_full(writer, "reserved_resources_full", &node->total);
    resource_json_unreserved_full(writer, "unreserved_resources_full", &node->total);
    resource_json_reserved(writer, "reserved_resources_allocated", used);
    resource_json_unreserved(writer, "unreserved_resources_allocated", used);
    usage_free_nodes(&usages);
}

static void write_agent(struct json_writer *writer, const struct node *node)
{
    char *pid = agent_json_pid(node);
    json_writer_text(writer, "version", MASTER_VERSION);
    build_facts_write(writer);
    json_writer_double(writer, "start_time", node->registered);
    json_writer_text(writer, "id", node->id);
    json_writer_text(writer, "pid", pid);
    json_writer_text(writer, "hostname", node->hostname);
    agent_json_capabilities(writer);
    agent_json_domain(writer, node->description.region, node->description.zone);
    write_resources(writer, node);
    json_writer_list(writer, "resource_providers");
    json_writer_end(writer);
    resource_json_attributes(writer, "attributes", node->description.attributes,
                             node->description.attribute_count);
    json_writer_text(writer, "master_hostname", node->master->hostname);
    build_facts_write_flags(writer, "flags", node->master, node);
    free(pid);
}

void agent_document_state(struct json_writer *writer, const struct node *node,
                          const struct document_query *query)
{
    (void)query;
    json_writer_open(writer, NULL);
    write_agent(writer, node);
    write_frameworks(writer, "frameworks", node, true);
    write_frameworks(writer, "completed_frameworks", node, false);
    json_writer_close(writer);
}

void agent_document_flags(struct json_writer *writer, const struct node *node,
                          const struct document_query *query)
{
    (void)query;
    json_writer_open(writer, NULL);
    build_facts_write_flags(writer, "flags", node->master, node);
    json_writer_close(writer);
}

// ---- what runs ----

static void write_statistics(struct json_writer *writer, const struct executor_view *executor,
                             const struct node *node)
{
    struct resources limits = resources_of(executor);
    Mesos__V1__ResourceStatistics statistics = MESOS__V1__RESOURCE_STATISTICS__INIT;
    statistics.timestamp = loop_wall(node->master->loop);
    process_usage_fill(&statistics, executor->pid);
    statistics.has_cpus_limit = statistics.has_mem_limit_bytes = true;
    statistics.cpus_limit = resources_scalar(&limits, "cpus");
    statistics.mem_limit_bytes = (uint64_t)(resources_scalar(&limits, "mem") * 1024 * 1024);
    json_writer_message(writer, "statistics", &statistics.base);
    resources_free(&limits);
}

static void write_status(struct json_writer *writer, const struct executor_view *executor)
{
    json_writer_open(writer, "status");
    json_writer_open(writer, "container_id");
    json_writer_text(writer, "value", executor->container_id);
    json_writer_close(writer);
    if (executor->pid > 0)
        json_writer_integer(writer, "executor_pid", executor->pid);
    json_writer_close(writer);
}

// The members are in the order of their names, as an agent writes them.
static void write_running(struct json_writer *writer, const struct executor_view *executor,
                          const struct node *node, const char *framework_id, bool containers)
{
    json_writer_open(writer, NULL);
    if (containers)
        json_writer_text(writer, "container_id", executor->container_id);
    json_writer_text(writer, "executor_id", executor->id);
    json_writer_text(writer, "executor_name", "");
    json_writer_text(writer, "framework_id", framework_id);
    json_writer_text(writer, "source", executor->id);
    write_statistics(writer, executor, node);
    if (containers)
        write_status(writer, executor);
    json_writer_close(writer);
}

static bool accepts(const struct document_query *query, const char *name, const char *value)
{
    const char *wanted = query->argument(query->data, name);
    return wanted == NULL || strcmp(wanted, value) == 0;
}

static void write_all(struct json_writer *writer, const struct node *node,
                      const struct document_query *query, bool containers)
{
    const struct master_framework *framework;
    json_writer_list(writer, NULL);
    TAILQ_FOREACH(framework, &node->master->frameworks, link)
    {
        struct executor_list list;
        agent_executors_list(&list, node, framework, &framework->past);
        for (size_t i = 0; i < list.count; i++) {
            const struct executor_view *executor = &list.items[i];
            if (executor->running && *executor->container_id != '\0' &&
                (!containers || (accepts(query, "framework_id", framework->id) &&
                                 accepts(query, "executor_id", executor->id) &&
                                 accepts(query, "container_id", executor->container_id))))
                write_running(writer, executor, node, framework->id, containers);
        }
        agent_executors_free(&list);
    }
    json_writer_end(writer);
}

void agent_document_containers(struct json_writer *writer, const struct node *node,
                               const struct document_query *query)
{
    write_all(writer, node, query, true);
}

void agent_document_statistics(struct json_writer *writer, const struct node *node,
                               const struct document_query *query)
{
    write_all(writer, node, query, false);
}
