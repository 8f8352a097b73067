// SPDX-License-Identifier: Apache-2.0
//
// The summary; see the header. A framework is on the agents that any of its tasks runs or ran on:
// `meet` has a byte for each pair of them.

#include "operator/summary_document.h"

#include "base/memory.h"
#include "operator/agent_json.h"
#include "operator/framework_json.h"

#include <stdlib.h>

struct meetings {
    unsigned char *meet;
    size_t nodes; // bytes of a framework
};

static void note_past(unsigned char *row, const struct past_tasks *tasks)
{
    const struct task_record *record;
    TAILQ_FOREACH(record, &tasks->list, link)
    row[record->node] = 1;
}

static void note_framework(unsigned char *row, const struct master_framework *framework)
{
    const struct master_task *task;
    TAILQ_FOREACH(task, &framework->tasks, link)
    row[task->node->number] = 1;
    note_past(row, &framework->past.unreachable);
    note_past(row, &framework->past.completed);
}

static void find_meetings(struct meetings *meetings, const struct master *master)
{
    const struct master_framework *framework;
    size_t frameworks = 0, at = 0;
    TAILQ_FOREACH(framework, &master->frameworks, link)
    frameworks++;
    meetings->nodes = (size_t)master->next_node + 1;
    meetings->meet = memory_new(meetings->nodes * (frameworks + 1));
    TAILQ_FOREACH(framework, &master->frameworks, link)
    note_framework(meetings->meet + meetings->nodes * at++, framework);
}

static void write_states(struct json_writer *writer, const struct usage *usage)
{
    static const Mesos__V1__TaskState states[] = {
        MESOS__V1__TASK_STATE__TASK_STAGING,  MESOS__V1__TASK_STATE__TASK_STARTING,
        MESOS__V1__TASK_STATE__TASK_RUNNING,  MESOS__V1__TASK_STATE__TASK_KILLING,
        MESOS__V1__TASK_STATE__TASK_FINISHED, MESOS__V1__TASK_STATE__TASK_KILLED,
        MESOS__V1__TASK_STATE__TASK_FAILED,   MESOS__V1__TASK_STATE__TASK_LOST,
        MESOS__V1__TASK_STATE__TASK_ERROR,    MESOS__V1__TASK_STATE__TASK_UNREACHABLE,
    };
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        const ProtobufCEnumValue *row = protobuf_c_enum_descriptor_get_value(
            &mesos__v1__task_state__descriptor, (int)states[i]);
        json_writer_integer(writer, row->name, (int64_t)usage->states[states[i]]);
    }
}

static void write_node(struct json_writer *writer, const struct node *node,
                       const struct usage *usage, const struct meetings *meetings)
{
    const struct master_framework *framework;
    size_t at = 0;
    json_writer_open(writer, NULL);
    agent_json_members(writer, node, usage);
    write_states(writer, usage);
    json_writer_list(writer, "framework_ids");
    TAILQ_FOREACH(framework, &node->master->frameworks, link)
    if (meetings->meet[meetings->nodes * at++ + node->number])
        json_writer_text(writer, NULL, framework->id);
    json_writer_end(writer);
    json_writer_close(writer);
}

static void write_framework(struct json_writer *writer, const struct master_framework *framework,
                            const unsigned char *meet)
{
    const struct node *node;
    struct framework_view view;
    json_writer_open(writer, NULL);
    framework_json_view(&view, framework);
    framework_json_summary(writer, &view);
    write_states(writer, &view.usage);
    framework_json_free(&view);
    json_writer_list(writer, "slave_ids");
    TAILQ_FOREACH(node, &framework->master->nodes, link)
    if (meet[node->number])
        json_writer_text(writer, NULL, node->id);
    json_writer_end(writer);
    json_writer_close(writer);
}

static void write_nodes(struct json_writer *writer, const struct master *master,
                        const struct meetings *meetings)
{
    const struct node *node;
    struct node_usages usages;
    usage_of_nodes(&usages, master);
    json_writer_list(writer, "slaves");
    TAILQ_FOREACH(node, &master->nodes, link)
    write_node(writer, node, usage_of_node(&usages, node), meetings);
    json_writer_end(writer);
    usage_free_nodes(&usages);
}

void summary_document(struct json_writer *writer, const struct master *master,
                      const struct document_query *query)
{
    const struct master_framework *framework;
    struct meetings meetings;
    size_t at = 0;
    (void)query;
    find_meetings(&meetings, master);
    json_writer_open(writer, NULL);
    json_writer_text(writer, "hostname", master->hostname);
    write_nodes(writer, master, &meetings);
    json_writer_list(writer, "frameworks");
    TAILQ_FOREACH(framework, &master->frameworks, link)
    write_framework(writer, framework, meetings.meet + meetings.nodes * at++);
    json_writer_end(writer);
    json_writer_close(writer);
    free(meetings.meet);
}
