// SPDX-License-Identifier: Apache-2.0
//
// OFFERS as bytes; see the header. Resources are kept as pieces: for each the lengths of what comes
// before its allocation and of what comes behind it, then the two.

#include "master/offer_encoding.h"

#include "base/memory.h"
#include "master/master_records.h"
#include "master/node_info.h"
#include "offers/resource_bytes.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

#define EVENT_MOST ((size_t)256 << 20)
enum { HEAD_ROOM = 8, RESOURCES_USUAL = 200 }; // bytes; of an event's head, which is no longer

typedef Mesos__V1__Resource Resource;

// ---- writing; buffers have no cap, as agents are of this process, and an event has its own ----

static void put_message(struct buffer *out, uint32_t number, const ProtobufCMessage *message)
{
    if (message == NULL)
        return;
    size_t mark = wire_begin(out, number), length = protobuf_c_message_get_packed_size(message);
    protobuf_c_message_pack(message, buffer_reserve(out, length));
    out->length += length;
    wire_end(out, mark);
}

static struct bytes *take_bytes(struct buffer *buffer)
{
    struct bytes *bytes = bytes_copy(buffer->data, buffer->length);
    buffer_free(buffer);
    return bytes;
}

// ---- what is kept of a node ----

static void encode_fixed(struct node *node)
{
    struct offer_encoding *kept = &node->encoding;
    const struct agent_description *description = &node->description;
    struct buffer out;
    struct node_info_url url;
    struct node_info_domain domain;
    buffer_init(&out, SIZE_MAX);
    wire_put_id(&out, FIELD_OFFER_AGENT_ID, slice_text(node->id));
    wire_put_bytes(&out, FIELD_OFFER_HOSTNAME, slice_text(node->hostname));
    kept->before = out.length;
    for (size_t i = 0; i < description->attribute_count; i++)
        put_message(&out, FIELD_OFFER_ATTRIBUTES, &description->attributes[i]->base);
    put_message(&out, FIELD_OFFER_URL, &node_info_url(&url, node)->base);
    kept->middle = out.length - kept->before;
    const Mesos__V1__DomainInfo *where =
        node_info_domain(&domain, description->region, description->zone);
    put_message(&out, FIELD_OFFER_DOMAIN, where ? &where->base : NULL);
    kept->fixed = take_bytes(&out);
}

static void encode_resource(struct buffer *out, const Resource *resource)
{
    Resource before = *resource;
    size_t start = out->length;
    uint32_t lengths[2] = {0, 0};
    before.allocation_info = NULL;
    before.provider_id = NULL;
    before.n_reservations = 0;
    buffer_append(out, lengths, sizeof lengths);
    resource_bytes_put(out, &before);
    lengths[0] = (uint32_t)(out->length - start - sizeof lengths);
    put_message(out, FIELD_RESOURCE_PROVIDER_ID,
                resource->provider_id ? &resource->provider_id->base : NULL);
    for (size_t i = 0; i < resource->n_reservations; i++)
        put_message(out, FIELD_RESOURCE_RESERVATIONS, &resource->reservations[i]->base);
    lengths[1] = (uint32_t)(out->length - start - sizeof lengths - lengths[0]);
    memcpy(out->data + start, lengths, sizeof lengths);
}

static struct bytes *encode_resources(const struct resources *resources)
{
    struct buffer out;
    buffer_init(&out, SIZE_MAX);
    buffer_reserve(&out, RESOURCES_USUAL);
    for (size_t i = 0; i < resources->count; i++)
        encode_resource(&out, resources->items[i]);
    return take_bytes(&out);
}

static void forget_body(struct offer_encoding *kept)
{
    bytes_unref(kept->body);
    free(kept->role);
    kept->body = NULL;
    kept->role = NULL;
}

struct bytes *offer_encoding_resources(struct node *node, const struct resources *list, bool whole)
{
    struct offer_encoding *kept = &node->encoding;
    if (offer_encoding_kept(kept, list) != NULL)
        return bytes_ref(kept->resources);
    struct bytes *pieces = encode_resources(list);
    if (whole) {
        forget_body(kept);
        bytes_unref(kept->resources);
        kept->resources = bytes_ref(pieces);
        kept->encoded = list->items;
    }
    return pieces;
}

// Moves `at` behind the next piece, of which `data` is what comes before the allocation.
static bool next_piece(const struct bytes *pieces, size_t *at, uint32_t lengths[2],
                       const uint8_t **data)
{
    if (*at >= pieces->length)
        return false;
    memcpy(lengths, pieces->data + *at, 2 * sizeof *lengths);
    *data = pieces->data + *at + 2 * sizeof *lengths;
    *at += 2 * sizeof *lengths + lengths[0] + lengths[1];
    return true;
}

void offer_encoding_open(struct resources *to, const struct bytes *pieces)
{
    uint32_t lengths[2];
    const uint8_t *data;
    *to = (struct resources){0};
    for (size_t at = 0; next_piece(pieces, &at, lengths, &data);) {
        to->items = memory_resize(to->items, (to->count + 1) * sizeof *to->items);
        to->items[to->count++] = resource_bytes_read(
            (struct slice){.data = data, .length = (size_t)lengths[0] + lengths[1]});
    }
}

void offer_encoding_free(struct offer_encoding *encoding)
{
    forget_body(encoding);
    bytes_unref(encoding->fixed);
    bytes_unref(encoding->resources);
    *encoding = (struct offer_encoding){.fixed = NULL};
}

// ---- an event ----

static void put_allocation(struct buffer *out, uint32_t number, const char *role)
{
    size_t mark = wire_begin(out, number);
    wire_put_bytes(out, FIELD_RESOURCE_ALLOCATION_INFO_ROLE, slice_text(role));
    wire_end(out, mark);
}

static void put_resources(struct buffer *out, const struct bytes *pieces, const char *role)
{
    uint32_t lengths[2];
    const uint8_t *data;
    for (size_t at = 0; next_piece(pieces, &at, lengths, &data);) {
        size_t mark = wire_begin(out, FIELD_OFFER_RESOURCES);
        buffer_append(out, data, lengths[0]);
        put_allocation(out, FIELD_RESOURCE_ALLOCATION_INFO, role);
        buffer_append(out, data + lengths[0], lengths[1]);
        wire_end(out, mark);
    }
}

// Those that the framework has on the agent.
static void put_executors(struct buffer *out, const struct master_offer *offer)
{
    const struct master_executor *executor;
    TAILQ_FOREACH(executor, &offer->node->executors, of_node)
    if (executor->framework == offer->framework)
        wire_put_id(out, FIELD_OFFER_EXECUTOR_IDS, slice_text(executor->info->executor_id->value));
}

// What comes behind the ids of the offer and its framework.
static void put_body(struct buffer *out, const struct master_offer *offer,
                     const struct bytes *resources, const Mesos__V1__Unavailability *away)
{
    const struct offer_encoding *kept = &offer->node->encoding;
    const uint8_t *fixed = kept->fixed->data;
    size_t behind = kept->before + kept->middle;
    buffer_append(out, fixed, kept->before);
    put_resources(out, resources, offer->role);
    put_executors(out, offer);
    buffer_append(out, fixed + kept->before, kept->middle);
    put_message(out, FIELD_OFFER_UNAVAILABILITY, away ? &away->base : NULL);
    put_allocation(out, FIELD_OFFER_ALLOCATION_INFO, offer->role);
    buffer_append(out, fixed + behind, kept->fixed->length - behind);
}

// That of an offer of all that is free, which has nothing that others of it have not.
static const struct bytes *usual_body(const struct master_offer *offer,
                                      const struct bytes *resources)
{
    struct offer_encoding *kept = &offer->node->encoding;
    struct buffer body;
    if (kept->role != NULL && strcmp(kept->role, offer->role) == 0)
        return kept->body;
    forget_body(kept);
    buffer_init(&body, SIZE_MAX);
    put_body(&body, offer, resources, NULL);
    kept->body = take_bytes(&body);
    kept->role = memory_string(offer->role);
    return kept->body;
}

// An offer whose body is there: its length is known, and nothing moves.
static void put_usual_offer(struct buffer *out, const struct master_offer *offer,
                            const struct bytes *body)
{
    struct slice id = slice_text(offer->id), framework_id = slice_text(offer->framework->id);
    size_t length = wire_id_size(FIELD_OFFER_ID, id.length) +
                    wire_id_size(FIELD_OFFER_FRAMEWORK_ID, framework_id.length) + body->length;
    wire_put_head(out, FIELD_SCHEDULER_EVENT_OFFERS_OFFERS, length);
    wire_put_id(out, FIELD_OFFER_ID, id);
    wire_put_id(out, FIELD_OFFER_FRAMEWORK_ID, framework_id);
    buffer_append(out, body->data, body->length);
}

static void put_special_offer(struct buffer *out, const struct master_offer *offer,
                              const struct bytes *resources, const Mesos__V1__Unavailability *away)
{
    size_t mark = wire_begin(out, FIELD_SCHEDULER_EVENT_OFFERS_OFFERS);
    wire_put_id(out, FIELD_OFFER_ID, slice_text(offer->id));
    wire_put_id(out, FIELD_OFFER_FRAMEWORK_ID, slice_text(offer->framework->id));
    put_body(out, offer, resources, away);
    wire_end(out, mark);
}

static void put_offer(struct buffer *out, const struct master_offer *offer)
{
    struct node *node = offer->node;
    struct node_info_unavailability message;
    if (node->encoding.fixed == NULL)
        encode_fixed(node);
    struct bytes *resources = offer_encoding_resources(node, &offer->resources, offer->whole);
    const Mesos__V1__Unavailability *away = node_info_unavailability(&message, node);
    if (offer->whole && away == NULL && TAILQ_EMPTY(&node->executors))
        put_usual_offer(out, offer, usual_body(offer, resources));
    else
        put_special_offer(out, offer, resources, away);
    bytes_unref(resources);
}

static const struct master_offer *first_of(const struct master_framework *framework, size_t count)
{
    const struct master_offer *offer = TAILQ_LAST(&framework->offers, offers_of_framework);
    for (size_t i = 1; i < count; i++)
        offer = TAILQ_PREV(offer, offers_of_framework, of_framework);
    return offer;
}

// The first offer tells how long the others are, roughly. False if they become too long.
static bool put_offers(struct buffer *out, const struct master_offer *offer, size_t count)
{
    size_t start = out->length;
    put_offer(out, offer);
    size_t length = out->length - start;
    if (count < EVENT_MOST / length)
        buffer_reserve(out, (count - 1) * length + length / 4);
    while ((offer = TAILQ_NEXT(offer, of_framework)) != NULL && out->length <= EVENT_MOST)
        put_offer(out, offer);
    return offer == NULL;
}

// What comes before the offers is written last, as it has their length, and moves to where it ends
// at their beginning.
static struct slice put_head(struct buffer *out)
{
    size_t end = out->length;
    wire_put_varint(out, FIELD_SCHEDULER_EVENT_TYPE, MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS);
    wire_put_head(out, FIELD_SCHEDULER_EVENT_OFFERS, end - HEAD_ROOM);
    size_t length = out->length - end, start = HEAD_ROOM - length;
    memcpy(out->data + start, out->data + end, length);
    return (struct slice){.data = out->data + start, .length = end - start};
}

struct slice offer_encoding_event(struct buffer *out, const struct master_framework *framework,
                                  size_t count)
{
    if (!framework->multi_role || !framework->reservation_refinement)
        return (struct slice){.data = NULL};
    buffer_append(out, (uint8_t[HEAD_ROOM]){0}, HEAD_ROOM);
    return put_offers(out, first_of(framework, count), count) ? put_head(out)
                                                              : (struct slice){.data = NULL};
}
