// SPDX-License-Identifier: Apache-2.0
//
// Messages about agents and frameworks; see the header.

#include "operator/api_messages.h"

#include "base/memory.h"
#include "operator/agent_json.h"
#include "operator/resource_json.h"

#include <stdlib.h>
#include <string.h>

static int64_t nanoseconds(double seconds)
{
    return (int64_t)(seconds * 1e9);
}

static void set_time(Mesos__V1__TimeInfo *time, double seconds)
{
    mesos__v1__time_info__init(time);
    time->nanoseconds = nanoseconds(seconds);
}

// A copy in both formats.
static void copy_resources(struct resources *to, const struct resources *from)
{
    to->items = memory_new((from->count + 1) * sizeof *to->items);
    to->count = from->count;
    for (size_t i = 0; i < from->count; i++)
        to->items[i] = resource_json_both_formats(from->items[i]);
}

// ---- agents ----

static void set_domain(struct api_agent *agent, const struct agent_description *description)
{
    if (description->region == NULL || description->zone == NULL)
        return;
    mesos__v1__domain_info__init(&agent->domain);
    mesos__v1__domain_info__fault_domain__init(&agent->fault_domain);
    mesos__v1__domain_info__fault_domain__region_info__init(&agent->region);
    mesos__v1__domain_info__fault_domain__zone_info__init(&agent->zone);
    agent->region.name = description->region;
    agent->zone.name = description->zone;
    agent->fault_domain.region = &agent->region;
    agent->fault_domain.zone = &agent->zone;
    agent->domain.fault_domain = &agent->fault_domain;
    agent->info.domain = &agent->domain;
}

void api_messages_agent_info(struct api_agent *agent, const struct node *node)
{
    mesos__v1__agent_info__init(&agent->info);
    mesos__v1__agent_id__init(&agent->id);
    agent->id.value = node->id;
    agent->info.id = &agent->id;
    agent->info.hostname = node->hostname;
    agent->info.has_port = true;
    agent->info.port = (int32_t)node->master->port;
    agent->info.n_resources = node->total.count;
    agent->info.resources = node->total.items;
    agent->info.n_attributes = node->description.attribute_count;
    agent->info.attributes = node->description.attributes;
    set_domain(agent, &node->description);
}

static void set_abilities(struct api_agent *agent)
{
    agent->message.n_capabilities = agent_json_ability_count;
    agent->message.capabilities = agent->ability_list;
    for (size_t i = 0; i < agent_json_ability_count; i++) {
        mesos__v1__agent_info__capability__init(&agent->abilities[i]);
        agent->abilities[i].has_type = true;
        agent->abilities[i].type = agent_json_abilities[i];
        agent->ability_list[i] = &agent->abilities[i];
    }
}

static void set_resources(struct api_agent *agent, const struct node *node,
                          const struct usage *usage)
{
    copy_resources(&agent->total, &node->total);
    copy_resources(&agent->used, &usage->used);
    copy_resources(&agent->offered, &usage->offered);
    agent->message.n_total_resources = agent->total.count;
    agent->message.total_resources = agent->total.items;
    agent->message.n_allocated_resources = agent->used.count;
    agent->message.allocated_resources = agent->used.items;
    agent->message.n_offered_resources = agent->offered.count;
    agent->message.offered_resources = agent->offered.items;
}

// Without the fraction of a second, as a master gives it.
static void set_drain(struct api_agent *agent, const struct node *node)
{
    if (!agent_json_drain(&agent->drain, node))
        return;
    agent->message.drain_info = &agent->drain.info;
    if (node->drain.started == 0)
        return;
    set_time(&agent->drain_started, (double)(int64_t)node->drain.started);
    agent->message.estimated_drain_start_time = &agent->drain_started;
}

void api_messages_agent(struct api_agent *agent, const struct node *node, const struct usage *usage)
{
    mesos__v1__master__response__get_agents__agent__init(&agent->message);
    api_messages_agent_info(agent, node);
    agent->pid = agent_json_pid(node);
    set_time(&agent->registered, node->registered);
    agent->message.agent_info = &agent->info;
    agent->message.active = master_records_offerable(node);
    agent->message.has_deactivated = true;
    agent->message.deactivated = node->deactivated;
    set_drain(agent, node);
    agent->message.version = MASTER_VERSION;
    agent->message.pid = agent->pid;
    agent->message.registered_time = &agent->registered;
    if (node->reregistered > 0) {
        set_time(&agent->reregistered, node->reregistered);
        agent->message.reregistered_time = &agent->reregistered;
    }
    set_resources(agent, node, usage);
    set_abilities(agent);
}

void api_messages_free_agent(struct api_agent *agent)
{
    resources_free(&agent->total);
    resources_free(&agent->used);
    resources_free(&agent->offered);
    free(agent->pid);
}

// ---- frameworks ----

struct api_offer {
    Mesos__V1__Offer message;
    Mesos__V1__OfferID id;
    Mesos__V1__AgentID agent_id;
    Mesos__V1__Resource__AllocationInfo allocation;
    struct resources resources; // allocated to the role
};

static void fill_offer(struct api_offer *to, const struct master_offer *offer)
{
    mesos__v1__offer__init(&to->message);
    mesos__v1__offer_id__init(&to->id);
    mesos__v1__agent_id__init(&to->agent_id);
    mesos__v1__resource__allocation_info__init(&to->allocation);
    to->id.value = (char *)(uintptr_t)offer->id;
    to->agent_id.value = offer->node->id;
    to->allocation.role = (char *)(uintptr_t)offer->role;
    to->message.id = &to->id;
    to->message.framework_id = offer->framework->info->id;
    to->message.agent_id = &to->agent_id;
    to->message.hostname = offer->node->hostname;
    resources_copy(&to->resources, &offer->resources);
    resources_allocate(&to->resources, offer->role);
    to->message.n_resources = to->resources.count;
    to->message.resources = to->resources.items;
    to->message.n_attributes = offer->node->description.attribute_count;
    to->message.attributes = offer->node->description.attributes;
    to->message.allocation_info = &to->allocation;
}

static void set_offers(struct api_framework *framework, const struct master_framework *live)
{
    const struct master_offer *offer;
    size_t count = 0;
    TAILQ_FOREACH(offer, &live->offers, of_framework)
    count++;
    framework->offers = memory_new((count + 1) * sizeof *framework->offers);
    framework->offer_list = memory_new((count + 1) * sizeof(Mesos__V1__Offer *));
    framework->message.offers = framework->offer_list;
    TAILQ_FOREACH(offer, &live->offers, of_framework)
    {
        struct api_offer *to = &framework->offers[framework->message.n_offers];
        fill_offer(to, offer);
        framework->offer_list[framework->message.n_offers++] = &to->message;
    }
}

static void set_times(struct api_framework *framework, const struct framework_past *past)
{
    set_time(&framework->registered, past->registered);
    set_time(&framework->reregistered, past->reregistered);
    set_time(&framework->unregistered, past->unregistered);
    framework->message.registered_time = &framework->registered;
    if (past->registered < past->reregistered)
        framework->message.reregistered_time = &framework->reregistered;
    framework->message.unregistered_time = &framework->unregistered;
}

void api_messages_framework(struct api_framework *framework, const struct framework_view *view)
{
    const struct master_framework *live = view->live;
    memset(framework, 0, sizeof *framework);
    mesos__v1__master__response__get_frameworks__framework__init(&framework->message);
    framework->message.framework_info = (Mesos__V1__FrameworkInfo *)(uintptr_t)view->info;
    framework->message.active = framework->message.connected = live != NULL && live->connected;
    set_times(framework, view->past);
    copy_resources(&framework->used, &view->usage.used);
    copy_resources(&framework->offered, &view->usage.offered);
    framework->message.n_allocated_resources = framework->used.count;
    framework->message.allocated_resources = framework->used.items;
    framework->message.n_offered_resources = framework->offered.count;
    framework->message.offered_resources = framework->offered.items;
    if (live == NULL)
        return;
    framework->message.offer_constraints = live->constraints;
    set_offers(framework, live);
}

void api_messages_free_framework(struct api_framework *framework)
{
    resources_free(&framework->used);
    resources_free(&framework->offered);
    for (size_t i = 0; i < framework->message.n_offers; i++)
        resources_free(&framework->offers[i].resources);
    free(framework->offers);
    free(framework->offer_list);
}
