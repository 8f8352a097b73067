// SPDX-License-Identifier: Apache-2.0
//
// The events that a master sends to frameworks, each built here from what the records have. Nothing
// is sent to a framework that is not connected.

#include "master/master_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "master/master_info.h"
#include "master/node_info.h"
#include "master/offer_encoding.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Scheduler__Event Event;
typedef Mesos__V1__Scheduler__Event__Type Type;

#define TYPE(NAME) MESOS__V1__SCHEDULER__EVENT__TYPE__##NAME

// Where an event has the message of its type; 0 for a type without one.
static const size_t members[] = {
#define MEMBER(NAME, field) [TYPE(NAME)] = offsetof(Event, field)
    MEMBER(SUBSCRIBED, subscribed),
    MEMBER(OFFERS, offers),
    MEMBER(RESCIND, rescind),
    MEMBER(UPDATE, update),
    MEMBER(MESSAGE, message),
    MEMBER(UPDATE_OPERATION_STATUS, update_operation_status),
    MEMBER(FAILURE, failure),
    MEMBER(ERROR, error),
    MEMBER(INVERSE_OFFERS, inverse_offers),
    MEMBER(RESCIND_INVERSE_OFFER, rescind_inverse_offer),
    [TYPE(HEARTBEAT)] = 0,
#undef MEMBER
};

// Emits an event of that type with its message, which is a struct that protobuf-c generates for it.
static void emit(const struct master_sink *sink, void *data, Type type, const void *message)
{
    Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
    event.has_type = true;
    event.type = type;
    if (members[type] != 0)
        memcpy((char *)&event + members[type], &message, sizeof message);
    sink->event(data, &event);
}

static void send(struct master_framework *framework, Type type, const void *message)
{
    if (framework->connected)
        emit(framework->sink, framework->sink_data, type, message);
}

// ---- the subscription ----

void master_events_send_subscribed(struct master_framework *framework)
{
    struct master_info info;
    Mesos__V1__Scheduler__Event__Subscribed subscribed =
        MESOS__V1__SCHEDULER__EVENT__SUBSCRIBED__INIT;
    master_info_fill(&info, framework->master);
    subscribed.framework_id = framework->info->id;
    subscribed.has_heartbeat_interval_seconds = true;
    subscribed.heartbeat_interval_seconds = MASTER_HEARTBEAT_SECONDS;
    subscribed.master_info = &info.message;
    send(framework, TYPE(SUBSCRIBED), &subscribed);
    master_info_free(&info);
}

void master_events_send_heartbeat(struct master_framework *framework)
{
    send(framework, TYPE(HEARTBEAT), NULL);
}

void master_events_send_error(const struct master_sink *sink, void *data, const char *message)
{
    Mesos__V1__Scheduler__Event__Error error = MESOS__V1__SCHEDULER__EVENT__ERROR__INIT;
    error.message = (char *)(uintptr_t)message;
    emit(sink, data, TYPE(ERROR), &error);
}

// ---- offers ----

// An offer as a message; what it points to is the offer's and the node's.
struct offer_message {
    Mesos__V1__Offer offer;
    Mesos__V1__OfferID id;
    Mesos__V1__AgentID agent_id;
    Mesos__V1__Resource__AllocationInfo allocation;
    struct node_info_url url;
    struct node_info_unavailability unavailability;
    struct node_info_domain domain;
    struct resources resources;
    Mesos__V1__ExecutorID **executor_ids;
};

// Without MULTI_ROLE a framework does not see allocations, without RESERVATION_REFINEMENT it sees
// the older format.
static void fill_resources(struct offer_message *message, const struct master_offer *offer)
{
    const struct master_framework *framework = offer->framework;
    resources_copy(&message->resources, &offer->resources);
    if (framework->multi_role)
        resources_allocate(&message->resources, offer->role);
    for (size_t i = 0; !framework->reservation_refinement && i < message->resources.count; i++)
        resource_downgrade(message->resources.items[i]);
    message->offer.n_resources = message->resources.count;
    message->offer.resources = message->resources.items;
}

// Those that the framework has on the agent.
static void fill_executors(struct offer_message *message, const struct master_offer *offer)
{
    const struct master_executor *executor;
    size_t count = 0;
    message->executor_ids = NULL;
    TAILQ_FOREACH(executor, &offer->node->executors, of_node)
    {
        if (executor->framework != offer->framework)
            continue;
        message->executor_ids =
            memory_resize(message->executor_ids, (count + 1) * sizeof *message->executor_ids);
        message->executor_ids[count++] = executor->info->executor_id;
    }
    message->offer.n_executor_ids = count;
    message->offer.executor_ids = message->executor_ids;
}

static void fill_message(struct offer_message *message, const struct master_offer *offer)
{
    mesos__v1__offer__init(&message->offer);
    mesos__v1__offer_id__init(&message->id);
    mesos__v1__agent_id__init(&message->agent_id);
    mesos__v1__resource__allocation_info__init(&message->allocation);
    message->id.value = (char *)(uintptr_t)offer->id;
    message->agent_id.value = offer->node->id;
    message->allocation.role = offer->role;
    message->offer.id = &message->id;
    message->offer.framework_id = offer->framework->info->id;
    message->offer.agent_id = &message->agent_id;
    message->offer.hostname = offer->node->hostname;
    message->offer.domain = node_info_domain(&message->domain, offer->node->description.region,
                                             offer->node->description.zone);
    message->offer.url = node_info_url(&message->url, offer->node);
    message->offer.unavailability = node_info_unavailability(&message->unavailability, offer->node);
    message->offer.n_attributes = offer->node->description.attribute_count;
    message->offer.attributes = offer->node->description.attributes;
    if (offer->framework->multi_role)
        message->offer.allocation_info = &message->allocation;
    fill_resources(message, offer);
    fill_executors(message, offer);
}

// True if the subscription takes encoded events, and this one is.
static bool send_encoded(struct master_framework *framework, size_t count)
{
    const struct master_sink *sink = framework->sink;
    struct buffer event;
    if (!framework->connected || sink->encoded == NULL)
        return false;
    buffer_init(&event, SIZE_MAX);
    struct slice bytes = offer_encoding_event(&event, framework, count);
    if (bytes.length > 0)
        sink->encoded(framework->sink_data, bytes);
    buffer_free(&event);
    return bytes.length > 0;
}

static void send_messages(struct master_framework *framework, size_t count)
{
    struct offer_message *messages = memory_resize(NULL, count * sizeof *messages); // large
    Mesos__V1__Offer **list = memory_new(count * sizeof *list);
    struct master_offer *offer = TAILQ_LAST(&framework->offers, offers_of_framework);
    for (size_t i = count; i-- > 0; offer = TAILQ_PREV(offer, offers_of_framework, of_framework)) {
        fill_message(&messages[i], offer);
        list[i] = &messages[i].offer;
    }
    Mesos__V1__Scheduler__Event__Offers offers = MESOS__V1__SCHEDULER__EVENT__OFFERS__INIT;
    offers.n_offers = count;
    offers.offers = list;
    send(framework, TYPE(OFFERS), &offers);
    for (size_t i = 0; i < count; i++) {
        resources_free(&messages[i].resources);
        free(messages[i].executor_ids);
    }
    free(messages);
    free(list);
}

void master_events_send_offers(struct master_framework *framework, size_t count)
{
    log_debug("framework %s gets %zu offers", framework->id, count);
    if (!send_encoded(framework, count))
        send_messages(framework, count);
}

void master_events_send_rescind(struct master_offer *offer)
{
    Mesos__V1__OfferID id = MESOS__V1__OFFER_ID__INIT;
    Mesos__V1__Scheduler__Event__Rescind rescind = MESOS__V1__SCHEDULER__EVENT__RESCIND__INIT;
    id.value = offer->id;
    rescind.offer_id = &id;
    send(offer->framework, TYPE(RESCIND), &rescind);
}

// ---- inverse offers, and agents that are lost ----

struct inverse_message {
    Mesos__V1__InverseOffer offer;
    Mesos__V1__OfferID id;
    Mesos__V1__AgentID agent_id;
    struct node_info_url url;
    struct node_info_unavailability unavailability;
};

static void fill_inverse(struct inverse_message *message, const struct evacuation *evacuation)
{
    mesos__v1__inverse_offer__init(&message->offer);
    mesos__v1__offer_id__init(&message->id);
    mesos__v1__agent_id__init(&message->agent_id);
    message->id.value = evacuation->id;
    message->agent_id.value = evacuation->node->id;
    message->offer.id = &message->id;
    message->offer.framework_id = evacuation->framework->info->id;
    message->offer.agent_id = &message->agent_id;
    message->offer.url = node_info_url(&message->url, evacuation->node);
    message->offer.unavailability =
        node_info_unavailability(&message->unavailability, evacuation->node);
}

void master_events_send_inverse_offers(struct master_framework *framework,
                                       struct evacuation *const *evacuations, size_t count)
{
    struct inverse_message *messages = memory_new(count * sizeof *messages);
    Mesos__V1__InverseOffer **list = memory_new(count * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        fill_inverse(&messages[i], evacuations[i]);
        list[i] = &messages[i].offer;
    }
    Mesos__V1__Scheduler__Event__InverseOffers offers =
        MESOS__V1__SCHEDULER__EVENT__INVERSE_OFFERS__INIT;
    offers.n_inverse_offers = count;
    offers.inverse_offers = list;
    log_debug("framework %s gets %zu inverse offers", framework->id, count);
    send(framework, TYPE(INVERSE_OFFERS), &offers);
    free(messages);
    free(list);
}

void master_events_send_inverse_rescind(struct master_framework *framework, const char *id)
{
    Mesos__V1__OfferID offer_id = MESOS__V1__OFFER_ID__INIT;
    Mesos__V1__Scheduler__Event__RescindInverseOffer rescind =
        MESOS__V1__SCHEDULER__EVENT__RESCIND_INVERSE_OFFER__INIT;
    offer_id.value = (char *)(uintptr_t)id;
    rescind.inverse_offer_id = &offer_id;
    send(framework, TYPE(RESCIND_INVERSE_OFFER), &rescind);
}

void master_events_send_agent_failure(struct master_framework *framework, const char *agent_id)
{
    Mesos__V1__AgentID id = MESOS__V1__AGENT_ID__INIT;
    Mesos__V1__Scheduler__Event__Failure failure = MESOS__V1__SCHEDULER__EVENT__FAILURE__INIT;
    id.value = (char *)(uintptr_t)agent_id;
    failure.agent_id = &id;
    send(framework, TYPE(FAILURE), &failure);
}

// ---- executors ----

void master_events_send_executor_failure(struct master_framework *framework, char *agent_id,
                                         const char *executor_id, int status)
{
    Mesos__V1__AgentID agent = MESOS__V1__AGENT_ID__INIT;
    Mesos__V1__ExecutorID executor = MESOS__V1__EXECUTOR_ID__INIT;
    Mesos__V1__Scheduler__Event__Failure failure = MESOS__V1__SCHEDULER__EVENT__FAILURE__INIT;
    agent.value = agent_id;
    executor.value = (char *)(uintptr_t)executor_id;
    failure.agent_id = &agent;
    failure.executor_id = &executor;
    failure.has_status = true;
    failure.status = status;
    send(framework, TYPE(FAILURE), &failure);
}

void master_events_send_message(struct master_framework *framework, char *agent_id,
                                const char *executor_id, const ProtobufCBinaryData *bytes)
{
    Mesos__V1__AgentID agent = MESOS__V1__AGENT_ID__INIT;
    Mesos__V1__ExecutorID executor = MESOS__V1__EXECUTOR_ID__INIT;
    Mesos__V1__Scheduler__Event__Message message = MESOS__V1__SCHEDULER__EVENT__MESSAGE__INIT;
    agent.value = agent_id;
    executor.value = (char *)(uintptr_t)executor_id;
    message.agent_id = &agent;
    message.executor_id = &executor;
    message.data = *bytes;
    send(framework, TYPE(MESSAGE), &message);
}

// ---- updates ----

// To a subscription that takes no encoded events.
static void send_status(struct master_framework *framework, const struct status_update *update)
{
    Mesos__V1__Scheduler__Event__Update event = MESOS__V1__SCHEDULER__EVENT__UPDATE__INIT;
    event.status = status_update_message(update);
    send(framework, TYPE(UPDATE), &event);
    mesos__v1__task_status__free_unpacked(event.status, NULL);
}

void master_events_send_update(struct master_framework *framework,
                               const struct status_update *update)
{
    if (!framework->connected)
        return;
    history_update_sent(framework->master, update);
    if (framework->sink->encoded != NULL)
        framework->sink->encoded(framework->sink_data, update->event);
    else
        send_status(framework, update);
}

void master_events_send_operation_update(struct master_framework *framework,
                                         const Mesos__V1__OperationStatus *status)
{
    Mesos__V1__Scheduler__Event__UpdateOperationStatus update =
        MESOS__V1__SCHEDULER__EVENT__UPDATE_OPERATION_STATUS__INIT;
    update.status = (Mesos__V1__OperationStatus *)(uintptr_t)status;
    send(framework, TYPE(UPDATE_OPERATION_STATUS), &update);
}
