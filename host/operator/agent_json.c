// SPDX-License-Identifier: Apache-2.0
//
// Agents in JSON; see the header.

#include "operator/agent_json.h"

#include "base/memory.h"
#include "operator/resource_json.h"

#include <stdlib.h>

#define ABILITY(NAME) MESOS__V1__AGENT_INFO__CAPABILITY__TYPE__##NAME

const Mesos__V1__AgentInfo__Capability__Type agent_json_abilities[] = {
    ABILITY(MULTI_ROLE),    ABILITY(HIERARCHICAL_ROLE),        ABILITY(RESERVATION_REFINEMENT),
    ABILITY(RESIZE_VOLUME), ABILITY(AGENT_OPERATION_FEEDBACK), ABILITY(AGENT_DRAINING),
};
const size_t agent_json_ability_count =
    sizeof agent_json_abilities / sizeof agent_json_abilities[0];

char *agent_json_pid(const struct node *node)
{
    return memory_format("slave(%u)@%s:%u", node->number, node->master->ip, node->master->port);
}

void agent_json_capabilities(struct json_writer *writer)
{
    json_writer_list(writer, "capabilities");
    for (size_t i = 0; i < agent_json_ability_count; i++)
        json_writer_name(writer, NULL, &mesos__v1__agent_info__capability__type__descriptor,
                         (int)agent_json_abilities[i]);
    json_writer_end(writer);
}

void agent_json_domain(struct json_writer *writer, const char *region, const char *zone)
{
    if (region == NULL || zone == NULL)
        return;
    json_writer_open(writer, "domain");
    json_writer_open(writer, "fault_domain");
    json_writer_open(writer, "region");
    json_writer_text(writer, "name", region);
    json_writer_close(writer);
    json_writer_open(writer, "zone");
    json_writer_text(writer, "name", zone);
    json_writer_close(writer);
    json_writer_close(writer);
    json_writer_close(writer);
}

void agent_json_info(struct json_writer *writer, const struct node *node)
{
    const struct agent_description *description = &node->description;
    json_writer_text(writer, "id", node->id);
    json_writer_text(writer, "hostname", node->hostname);
    json_writer_integer(writer, "port", node->master->port);
    resource_json_attributes(writer, "attributes", description->attributes,
                             description->attribute_count);
    agent_json_domain(writer, description->region, description->zone);
}

bool agent_json_drain(struct agent_drain_message *message, const struct node *node)
{
    const struct node_drain *drain = &node->drain;
    if (drain->state == NODE_DRAIN_NONE)
        return false;
    mesos__v1__drain_info__init(&message->info);
    mesos__v1__drain_config__init(&message->config);
    mesos__v1__duration_info__init(&message->grace);
    message->info.state = drain->state == NODE_DRAIN_RUNS ? MESOS__V1__DRAIN_STATE__DRAINING
                                                          : MESOS__V1__DRAIN_STATE__DRAINED;
    message->info.config = &message->config;
    message->config.has_mark_gone = true;
    message->config.mark_gone = drain->mark_gone;
    message->grace.nanoseconds = drain->longest_grace;
    if (drain->longest_grace >= 0)
        message->config.max_grace_period = &message->grace;
    return true;
}

static void write_drain(struct json_writer *writer, const struct node *node)
{
    struct agent_drain_message message;
    if (!agent_json_drain(&message, node))
        return;
    json_writer_message(writer, "drain_info", &message.info.base);
    if (node->drain.started > 0)
        json_writer_double(writer, "estimated_drain_start_time_seconds", node->drain.started);
}

void agent_json_members(struct json_writer *writer, const struct node *node,
                        const struct usage *usage)
{
    char *pid = agent_json_pid(node);
    agent_json_info(writer, node);
    json_writer_text(writer, "pid", pid);
    json_writer_double(writer, "registered_time", node->registered);
    if (node->reregistered > 0)
        json_writer_double(writer, "reregistered_time", node->reregistered);
    resource_json_sums(writer, "resources", &node->total);
    resource_json_sums(writer, "used_resources", &usage->used);
    resource_json_sums(writer, "offered_resources", &usage->offered);
    resource_json_reserved(writer, "reserved_resources", &node->total);
    resource_json_unreserved(writer, "unreserved_resources", &node->total);
    json_writer_truth(writer, "active", master_records_offerable(node));
    json_writer_truth(writer, "deactivated", node->deactivated);
    json_writer_text(writer, "version", MASTER_VERSION);
    agent_json_capabilities(writer);
    write_drain(writer, node);
    free(pid);
}

void agent_json_whole_resources(struct json_writer *writer, const struct node *node,
                                const struct usage *usage)
{
    resource_json_reserved_full(writer, "reserved_resources_full", &node->total);
    resource_json_unreserved_full(writer, "unreserved_resources_full", &node->total);
    resource_json_full(writer, "used_resources_full", &usage->used);
    resource_json_full(writer, "offered_resources_full", &usage->offered);
}
