// SPDX-License-Identifier: Apache-2.0
//
// The document; see the header.

#include "operator/status_document.h"

#include "base/memory.h"
#include "master/master_records.h"
#include "master/offer_obstacles.h"

#include <jansson.h>
#include <stdlib.h>

static json_t *text_of(const struct resources *resources)
{
    char *text = resources_text(resources);
    json_t *json = json_string(text);
    free(text);
    return json;
}

static json_t *text_of_packed(const struct resources_packed *packed)
{
    struct resources resources;
    resources_packed_open(&resources, packed);
    json_t *json = text_of(&resources);
    resources_free(&resources);
    return json;
}

static json_t *describe_task(const struct master_task *task)
{
    const ProtobufCEnumValue *state =
        protobuf_c_enum_descriptor_get_value(&mesos__v1__task_state__descriptor, (int)task->state);
    return json_pack("{s:s*, s:s*, s:s, s:s, s:s, s:o*}", "id", task->id, "name", task->name,
                     "framework_id", task->framework->id, "agent_id", task->node->id, "state",
                     state ? state->name : "", "resources", text_of_packed(task->resources));
}

static json_t *describe_offer(const struct master_offer *offer)
{
    uint64_t age = loop_now(offer->framework->master->loop) - offer->made;
    return json_pack("{s:s, s:s, s:s*, s:o*, s:f}", "id", offer->id, "agent_id", offer->node->id,
                     "role", offer->role, "resources", text_of(&offer->resources), "held_seconds",
                     (double)age / (double)LOOP_SECOND);
}

// The offers of the framework, the oldest first, or why it has none.
static void add_offers(json_t *json, const struct master_framework *framework)
{
    json_t *offers = json_array();
    const struct master_offer *offer;
    char *words = offer_obstacles_text(framework);
    TAILQ_FOREACH(offer, &framework->offers, of_framework)
    json_array_append_new(offers, describe_offer(offer));
    json_object_set_new(json, "offers", offers);
    if (words != NULL)
        json_object_set_new(json, "no_offers_because", json_string(words));
    free(words);
}

static json_t *describe_framework(const struct master_framework *framework)
{
    json_t *roles = json_array(), *tasks = json_array();
    const struct master_task *task;
    for (size_t i = 0; i < framework->role_count; i++)
        json_array_append_new(roles, json_string(framework->roles[i].name));
    TAILQ_FOREACH(task, &framework->tasks, link)
    json_array_append_new(tasks, describe_task(task));
    json_t *json = json_pack("{s:s*, s:s*, s:s*, s:b, s:o, s:o}", "id", framework->id, "name",
                             framework->info->name, "user", framework->info->user, "connected",
                             framework->connected, "roles", roles, "tasks", tasks);
    if (json != NULL)
        add_offers(json, framework);
    return json;
}

static json_t *describe_node(const struct node *node)
{
    json_t *json = json_pack("{s:s, s:s, s:o*, s:o*}", "id", node->id, "hostname", node->hostname,
                             "resources", text_of(&node->total), "free", text_of(&node->free));
    char *attributes = agent_description_text(&node->description);
    if (*attributes != '\0')
        json_object_set_new(json, "attributes", json_string(attributes + 1));
    free(attributes);
    return json;
}

char *status_document(const struct master *master)
{
    json_t *frameworks = json_array(), *agents = json_array(), *completed = json_array();
    const struct master_framework *framework;
    const struct node *node;
    const struct completed *gone;
    TAILQ_FOREACH(framework, &master->frameworks, link)
    json_array_append_new(frameworks, describe_framework(framework));
    TAILQ_FOREACH(node, &master->nodes, link)
    json_array_append_new(agents, describe_node(node));
    TAILQ_FOREACH(gone, &master->completed, link)
    json_array_append_new(completed, json_string(gone->id));
    json_t *state = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "id", master->id, "version",
                              MASTER_VERSION, "hostname", master->hostname, "agents", agents,
                              "frameworks", frameworks, "completed_frameworks", completed);
    char *text = state ? json_dumps(state, JSON_COMPACT) : NULL;
    json_decref(state);
    return text ? text : memory_string("{}");
}
