// SPDX-License-Identifier: Apache-2.0
//
// State, agents and frameworks; see the header.

#include "operator/state_document.h"

#include "base/memory.h"
#include "operator/agent_json.h"
#include "operator/build_facts.h"
#include "operator/framework_json.h"

#include <stdlib.h>
#include <string.h>

static bool accepts(const char *wanted, const char *id)
{
    return wanted == NULL || strcmp(wanted, id) == 0;
}

// ---- frameworks ----

static void write_frameworks(struct json_writer *writer, const struct master *master,
                             const char *wanted)
{
    const struct master_framework *framework;
    struct framework_view view;
    json_writer_list(writer, "frameworks");
    TAILQ_FOREACH(framework, &master->frameworks, link)
    {
        if (!accepts(wanted, framework->id))
            continue;
        framework_json_view(&view, framework);
        framework_json_full(writer, &view);
        framework_json_free(&view);
    }
    json_writer_end(writer);
}

static void write_completed(struct json_writer *writer, const struct master *master,
                            const char *wanted)
{
    const struct completed *completed;
    struct framework_view view;
    json_writer_list(writer, "completed_frameworks");
    TAILQ_FOREACH(completed, &master->completed, link)
    {
        if (!accepts(wanted, completed->id))
            continue;
        framework_json_view_completed(&view, completed);
        framework_json_full(writer, &view);
    }
    json_writer_end(writer);
}

static void write_empty(struct json_writer *writer, const char *key)
{
    json_writer_list(writer, key);
    json_writer_end(writer);
}

void state_document_frameworks(struct json_writer *writer, const struct master *master,
                               const struct document_query *query)
{
    const char *wanted = query->argument(query->data, "framework_id");
    json_writer_open(writer, NULL);
    write_frameworks(writer, master, wanted);
    write_completed(writer, master, wanted);
    write_empty(writer, "unregistered_frameworks");
    json_writer_close(writer);
}

// ---- agents ----

// A master that took over waits for them.
static void write_recovered(struct json_writer *writer, const struct master *master,
                            const char *wanted)
{
    const struct node *node;
    json_writer_list(writer, "recovered_slaves");
    TAILQ_FOREACH(node, &master->lost, link)
    {
        if (node->state != NODE_RECOVERED || !accepts(wanted, node->id))
            continue;
        json_writer_open(writer, NULL);
        agent_json_info(writer, node);
        json_writer_close(writer);
    }
    json_writer_end(writer);
}

static void write_slaves(struct json_writer *writer, const struct master *master,
                         const char *wanted, bool whole)
{
    const struct node *node;
    struct node_usages usages;
    usage_of_nodes(&usages, master);
    json_writer_list(writer, "slaves");
    TAILQ_FOREACH(node, &master->nodes, link)
    {
        if (!accepts(wanted, node->id))
            continue;
        json_writer_open(writer, NULL);
        agent_json_members(writer, node, usage_of_node(&usages, node));
        if (whole)
            agent_json_whole_resources(writer, node, usage_of_node(&usages, node));
        json_writer_close(writer);
    }
    json_writer_end(writer);
    usage_free_nodes(&usages);
    write_recovered(writer, master, wanted);
}

void state_document_slaves(struct json_writer *writer, const struct master *master,
                           const struct document_query *query)
{
    json_writer_open(writer, NULL);
    write_slaves(writer, master, query->argument(query->data, "slave_id"), true);
    json_writer_close(writer);
}

// ---- the whole ----

static void write_capabilities(struct json_writer *writer)
{
    static const char *const names[] = {"AGENT_UPDATE", "AGENT_DRAINING", "QUOTA_V2"};
    json_writer_list(writer, "capabilities");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        json_writer_text(writer, NULL, names[i]);
    json_writer_end(writer);
}

static void write_counts(struct json_writer *writer, const struct master *master)
{
    const struct node *node;
    size_t active = 0, inactive = 0, unreachable = 0;
    TAILQ_FOREACH(node, &master->nodes, link)
    *(master_records_offerable(node) ? &active : &inactive) += 1;
    TAILQ_FOREACH(node, &master->lost, link)
    unreachable += node->state == NODE_UNREACHABLE;
    json_writer_double(writer, "activated_slaves", (double)active);
    json_writer_double(writer, "deactivated_slaves", (double)inactive);
    json_writer_double(writer, "unreachable_slaves", (double)unreachable);
}

static void write_leader(struct json_writer *writer, const struct master *master, const char *pid)
{
    json_writer_text(writer, "leader", pid);
    json_writer_open(writer, "leader_info");
    json_writer_text(writer, "id", master->id);
    json_writer_text(writer, "pid", pid);
    json_writer_integer(writer, "port", master->port);
    json_writer_text(writer, "hostname", master->hostname);
    agent_json_domain(writer, master->region, master->zone);
    json_writer_close(writer);
}

static void write_master(struct json_writer *writer, const struct master *master)
{
    char *pid = memory_format("master@%s:%u", master->ip, master->port);
    json_writer_text(writer, "version", MASTER_VERSION);
    build_facts_write(writer);
    json_writer_double(writer, "start_time", master->started);
    json_writer_double(writer, "elected_time", master->started);
    json_writer_text(writer, "id", master->id);
    json_writer_text(writer, "pid", pid);
    json_writer_text(writer, "hostname", master->hostname);
    write_capabilities(writer);
    write_counts(writer, master);
    agent_json_domain(writer, master->region, master->zone);
    write_leader(writer, master, pid);
    build_facts_write_flags(writer, "flags", master, NULL);
    free(pid);
}

void state_document(struct json_writer *writer, const struct master *master,
                    const struct document_query *query)
{
    (void)query;
    json_writer_open(writer, NULL);
    write_master(writer, master);
    write_slaves(writer, master, NULL, false);
    write_frameworks(writer, master, NULL);
    write_completed(writer, master, NULL);
    write_empty(writer, "orphan_tasks");
    write_empty(writer, "unregistered_frameworks");
    json_writer_close(writer);
}
