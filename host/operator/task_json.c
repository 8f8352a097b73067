// SPDX-License-Identifier: Apache-2.0
//
// Tasks in JSON; see the header.

#include "operator/task_json.h"

#include "operator/resource_json.h"

typedef Mesos__V1__Task Task;

void task_json_labels(struct json_writer *writer, const char *key, const Mesos__V1__Labels *labels)
{
    json_writer_list(writer, key);
    for (size_t i = 0; i < labels->n_labels; i++)
        json_writer_message(writer, NULL, &labels->labels[i]->base);
    json_writer_end(writer);
}

static void write_network(struct json_writer *writer, const Mesos__V1__NetworkInfo *network)
{
    json_writer_open(writer, NULL);
    if (network->n_groups > 0) {
        json_writer_list(writer, "groups");
        for (size_t i = 0; i < network->n_groups; i++)
            json_writer_text(writer, NULL, network->groups[i]);
        json_writer_end(writer);
    }
    if (network->labels != NULL)
        task_json_labels(writer, "labels", network->labels);
    if (network->n_ip_addresses > 0) {
        json_writer_list(writer, "ip_addresses");
        for (size_t i = 0; i < network->n_ip_addresses; i++)
            json_writer_message(writer, NULL, &network->ip_addresses[i]->base);
        json_writer_end(writer);
    }
    if (network->name != NULL)
        json_writer_text(writer, "name", network->name);
    if (network->n_port_mappings > 0) {
        json_writer_list(writer, "port_mappings");
        for (size_t i = 0; i < network->n_port_mappings; i++)
            json_writer_message(writer, NULL, &network->port_mappings[i]->base);
        json_writer_end(writer);
    }
    json_writer_close(writer);
}

static void write_container(struct json_writer *writer, const Mesos__V1__ContainerStatus *status)
{
    json_writer_open(writer, "container_status");
    if (status->container_id != NULL)
        json_writer_message(writer, "container_id", &status->container_id->base);
    if (status->n_network_infos > 0) {
        json_writer_list(writer, "network_infos");
        for (size_t i = 0; i < status->n_network_infos; i++)
            write_network(writer, status->network_infos[i]);
        json_writer_end(writer);
    }
    if (status->cgroup_info != NULL)
        json_writer_message(writer, "cgroup_info", &status->cgroup_info->base);
    json_writer_close(writer);
}

static void write_state(struct json_writer *writer, Mesos__V1__TaskState state)
{
    json_writer_name(writer, "state", &mesos__v1__task_state__descriptor, (int)state);
}

static void write_status(struct json_writer *writer, const Mesos__V1__TaskStatus *status)
{
    json_writer_open(writer, NULL);
    write_state(writer, status->state);
    json_writer_double(writer, "timestamp", status->timestamp);
    if (status->labels != NULL)
        task_json_labels(writer, "labels", status->labels);
    if (status->container_status != NULL)
        write_container(writer, status->container_status);
    if (status->has_healthy)
        json_writer_truth(writer, "healthy", status->healthy);
    json_writer_close(writer);
}

static void write_limits(struct json_writer *writer, const Task *task)
{
    json_writer_open(writer, "limits");
    for (size_t i = 0; i < task->n_limits; i++)
        json_writer_double(writer, task->limits[i]->key, task->limits[i]->value->value);
    json_writer_close(writer);
}

static void write_statuses(struct json_writer *writer, const Task *task)
{
    json_writer_list(writer, "statuses");
    for (size_t i = 0; i < task->n_statuses; i++)
        write_status(writer, task->statuses[i]);
    json_writer_end(writer);
}

// A task is in one role, that of its first resource.
static const char *role_of(const Task *task)
{
    const Mesos__V1__Resource__AllocationInfo *allocation =
        task->n_resources > 0 ? task->resources[0]->allocation_info : NULL;
    return allocation != NULL ? allocation->role : NULL;
}

static void write_optional(struct json_writer *writer, const Task *task)
{
    if (task->user != NULL)
        json_writer_text(writer, "user", task->user);
    if (task->labels != NULL)
        task_json_labels(writer, "labels", task->labels);
    if (task->discovery != NULL)
        json_writer_message(writer, "discovery", &task->discovery->base);
    if (task->container != NULL)
        json_writer_message(writer, "container", &task->container->base);
    if (task->health_check != NULL)
        json_writer_message(writer, "health_check", &task->health_check->base);
}

void task_json_message(struct json_writer *writer, const char *key, const Task *task)
{
    json_writer_open(writer, key);
    json_writer_text(writer, "id", task->task_id->value);
    json_writer_text(writer, "name", task->name);
    json_writer_text(writer, "framework_id", task->framework_id->value);
    json_writer_text(writer, "executor_id", task->executor_id ? task->executor_id->value : "");
    json_writer_text(writer, "slave_id", task->agent_id->value);
    write_state(writer, task->state);
    resource_json_message_sums(writer, "resources", task->resources, task->n_resources);
    if (task->n_limits > 0)
        write_limits(writer, task);
    json_writer_text(writer, "role", role_of(task));
    write_statuses(writer, task);
    write_optional(writer, task);
    json_writer_close(writer);
}

void task_json(struct json_writer *writer, const char *key, const struct task_record *record)
{
    Task *task = task_record_message(record);
    task_json_message(writer, key, task);
    mesos__v1__task__free_unpacked(task, NULL);
}

void task_json_list(struct json_writer *writer, const char *key, const struct task_records *records)
{
    const struct task_record *record;
    json_writer_list(writer, key);
    TAILQ_FOREACH(record, records, link)
    task_json(writer, NULL, record);
    json_writer_end(writer);
}
