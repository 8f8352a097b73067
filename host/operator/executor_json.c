// SPDX-License-Identifier: Apache-2.0
//
// Executors in JSON; see the header.

#include "operator/executor_json.h"

#include "operator/resource_json.h"
#include "operator/task_json.h"

static void write_uris(struct json_writer *writer, const Mesos__V1__CommandInfo *command)
{
    json_writer_list(writer, "uris");
    for (size_t i = 0; i < command->n_uris; i++) {
        json_writer_open(writer, NULL);
        json_writer_text(writer, "value", command->uris[i]->value);
        json_writer_truth(writer, "executable", command->uris[i]->executable);
        json_writer_close(writer);
    }
    json_writer_end(writer);
}

// That of a default executor is empty.
static void write_command(struct json_writer *writer, const Mesos__V1__CommandInfo *command)
{
    static const Mesos__V1__CommandInfo none = MESOS__V1__COMMAND_INFO__INIT;
    command = command ? command : &none;
    json_writer_open(writer, "command");
    if (command->has_shell)
        json_writer_truth(writer, "shell", command->shell);
    if (command->value != NULL)
        json_writer_text(writer, "value", command->value);
    json_writer_list(writer, "argv");
    for (size_t i = 0; i < command->n_arguments; i++)
        json_writer_text(writer, NULL, command->arguments[i]);
    json_writer_end(writer);
    if (command->environment != NULL)
        json_writer_message(writer, "environment", &command->environment->base);
    write_uris(writer, command);
    json_writer_close(writer);
}

void executor_json(struct json_writer *writer, const struct master_executor *executor)
{
    const Mesos__V1__ExecutorInfo *info = executor->info;
    json_writer_open(writer, NULL);
    json_writer_text(writer, "executor_id", info->executor_id->value);
    json_writer_text(writer, "name", info->name);
    json_writer_text(writer, "framework_id", executor->framework->id);
    write_command(writer, info->command);
    resource_json_sums(writer, "resources", &executor->resources);
    if (executor->resources.count > 0)
        json_writer_text(writer, "role", executor->member->role->name);
    if (info->labels != NULL)
        task_json_labels(writer, "labels", info->labels);
    if (info->has_type)
        json_writer_name(writer, "type", &mesos__v1__executor_info__type__descriptor,
                         (int)info->type);
    json_writer_text(writer, "slave_id", executor->node->id);
    json_writer_close(writer);
}
