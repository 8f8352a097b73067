// SPDX-License-Identifier: Apache-2.0
//
// The outstanding offers: see offers.h. One hash table with open addressing holds the outstanding
// offers and the spent ones; two lists through the same nodes tell them apart. A spent offer gives
// up its block and keeps a copy of its id. At most SPENT_MOST of them are remembered, the oldest
// are forgotten first.

#include "offers/offer_table.h"

#include "base/hash_index.h"
#include "base/memory.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <stdlib.h>

enum { SPENT_MOST = 512 };

struct offer_chain {
    TAILQ_HEAD(, offer) offers;
    size_t count;
};

// The hash is stored beside the offer, so a probe reads no offer but the right one.
struct slot {
    struct offer *offer; // NULL: free
    uint64_t hash;
};

struct offer_table {
    struct slot *slots;
    size_t capacity;   // a power of two
    struct slot *last; // that was looked up, or NULL
    struct offer_chain outstanding, spent;
};

// ---- lists ----

static void list_append(struct offer_chain *list, struct offer *offer)
{
    TAILQ_INSERT_TAIL(&list->offers, offer, link);
    list->count++;
}

static void list_remove(struct offer_chain *list, struct offer *offer)
{
    TAILQ_REMOVE(&list->offers, offer, link);
    list->count--;
}

// ---- the table ----

// The slot of that id, or the free one where it would go.
static struct slot *slot_of(const struct offer_table *offers, uint64_t hash, struct slice id)
{
    size_t mask = offers->capacity - 1, at = hash & mask;
    while (offers->slots[at].offer != NULL &&
           (offers->slots[at].hash != hash ||
            !slice_equal(offer_table_id(offers->slots[at].offer), id)))
        at = (at + 1) & mask;
    return &offers->slots[at];
}

static void resize(struct offer_table *offers, size_t capacity)
{
    struct slot *old = offers->slots;
    size_t count = offers->capacity;
    offers->last = NULL;
    offers->slots = memory_new(capacity * sizeof *offers->slots);
    offers->capacity = capacity;
    for (size_t i = 0; i < count; i++)
        if (old[i].offer != NULL)
            *slot_of(offers, old[i].hash, offer_table_id(old[i].offer)) = old[i];
    free(old);
}

static void make_room(struct offer_table *offers)
{
    size_t count = offers->outstanding.count + offers->spent.count;
    if (4 * (count + 1) > 3 * offers->capacity)
        resize(offers, 2 * offers->capacity);
}

// Closes the gap that a removed entry, a spent one, would leave in the probe sequences behind it.
static void table_remove(struct offer_table *offers, const struct offer *offer)
{
    struct slot *slots = offers->slots;
    size_t mask = offers->capacity - 1, gap = offer->length & mask;
    while (slots[gap].offer != offer)
        gap = (gap + 1) & mask;
    for (size_t i = (gap + 1) & mask; slots[i].offer != NULL; i = (i + 1) & mask) {
        size_t home = slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - gap) & mask)) {
            slots[gap] = slots[i];
            gap = i;
        }
    }
    slots[gap].offer = NULL;
}

// ---- entries ----

struct offer *offer_table_ref(const struct offer *offer)
{
    struct offer *held = (struct offer *)offer;
    held->references++;
    return held;
}

void offer_table_unref(struct offer *offer)
{
    if (offer != NULL && --offer->references == 0)
        free(offer);
}

static struct offer *entry_new(struct bytes *block, struct slice wire, struct slice id)
{
    struct offer *offer = memory_resize(NULL, sizeof *offer);
    *offer = (struct offer){.block = bytes_ref(block),
                            .data = wire.data,
                            .length = (uint32_t)wire.length,
                            .id_at = (uint32_t)(id.data != NULL ? id.data - wire.data : 0),
                            .id_length = (uint32_t)id.length,
                            .references = 1};
    return offer;
}

// A spent offer owns the copy of its id, an outstanding one a reference on its block.
static void entry_free(struct offer *offer)
{
    if (offer->spent != NULL)
        free((void *)offer->data);
    else
        offer->spent = "is not known any more";
    bytes_unref(offer->block);
    offer->block = NULL;
    offer->data = NULL;
    offer_table_unref(offer);
}

static void forget(struct offer_table *offers, struct offer_chain *list, struct offer *offer)
{
    table_remove(offers, offer);
    list_remove(list, offer);
    entry_free(offer);
}

// The hash is kept for the time when it is forgotten.
static void spend(struct offer_table *offers, struct offer *offer, uint64_t hash, const char *why)
{
    list_remove(&offers->outstanding, offer);
    struct slice id = offer_table_id(offer);
    offer->data = (const uint8_t *)memory_text((const char *)id.data, id.length);
    offer->length = (uint32_t)hash;
    offer->id_at = 0;
    offer->spent = why;
    bytes_unref(offer->block);
    offer->block = NULL;
    list_append(&offers->spent, offer);
    if (offers->spent.count > SPENT_MOST)
        forget(offers, &offers->spent, TAILQ_FIRST(&offers->spent.offers));
}

// The slot of that id, which most often is the one that was looked up before: of an offer that is
// declined, first to find it and then to spend it.
static struct slot *lookup(struct offer_table *offers, struct slice id)
{
    struct slot *last = offers->last;
    if (last == NULL || last->offer == NULL || !slice_equal(offer_table_id(last->offer), id))
        offers->last = last = slot_of(offers, hash_index_hash(id), id);
    return last;
}

// ---- the face ----

struct offer_table *offer_table_create(void)
{
    struct offer_table *offers = memory_new(sizeof *offers);
    TAILQ_INIT(&offers->outstanding.offers);
    TAILQ_INIT(&offers->spent.offers);
    resize(offers, 64);
    return offers;
}

static void free_list(struct offer_chain *list)
{
    for (struct offer *offer = TAILQ_FIRST(&list->offers), *next; offer != NULL; offer = next) {
        next = TAILQ_NEXT(offer, link);
        entry_free(offer);
    }
}

void offer_table_destroy(struct offer_table *offers)
{
    if (offers == NULL)
        return;
    free_list(&offers->outstanding);
    free_list(&offers->spent);
    free(offers->slots);
    free(offers);
}

// A message that was accepted has its id in one part.
static struct slice read_id(struct slice message)
{
    struct slice id = {.data = NULL};
    struct wire wire = wire_open(message);
    _Static_assert(FIELD_OFFER_ID == FIELD_INVERSE_OFFER_ID, "one table for both");
    wire_seek(&wire, FIELD_OFFER_ID, &id);
    return wire_text(id);
}

static const char rescinded[] = "was rescinded", rescinded_ahead[] = "was rescinded";

const struct offer *offer_table_add(struct offer_table *offers, struct bytes *block,
                                    struct slice wire)
{
    struct slice id = read_id(wire);
    uint64_t hash = hash_index_hash(id);
    make_room(offers);
    struct slot *slot = slot_of(offers, hash, id);
    struct offer *old = slot->offer, *offer;
    if (old != NULL && (old->block == block || old->spent == rescinded_ahead))
        return NULL;
    offer = entry_new(block, wire, id);
    *slot = (struct slot){.offer = offer, .hash = hash};
    list_append(&offers->outstanding, offer);
    if (old != NULL) {
        list_remove(old->spent ? &offers->spent : &offers->outstanding, old);
        entry_free(old);
    }
    return offer;
}

const struct offer *offer_table_find(struct offer_table *offers, struct slice id, const char **why)
{
    const struct offer *offer = lookup(offers, id)->offer;
    if (why != NULL)
        *why = offer ? offer->spent : NULL;
    return offer && offer->spent == NULL ? offer : NULL;
}

bool offer_table_spend(struct offer_table *offers, struct slice id, const char *why)
{
    struct slot *slot = lookup(offers, id);
    if (slot->offer == NULL || slot->offer->spent != NULL)
        return false;
    spend(offers, slot->offer, slot->hash, why);
    return true;
}

// The entry is one that was spent as soon as it was there.
static void rescind_ahead(struct offer_table *offers, struct slice id)
{
    uint64_t hash = hash_index_hash(id);
    make_room(offers);
    struct offer *offer = memory_new(sizeof *offer);
    *offer = (struct offer){.data = id.data, .id_length = (uint32_t)id.length, .references = 1};
    *slot_of(offers, hash, id) = (struct slot){.offer = offer, .hash = hash};
    list_append(&offers->outstanding, offer);
    spend(offers, offer, hash, rescinded_ahead);
}

void offer_table_rescind(struct offer_table *offers, struct slice id)
{
    struct slot *slot = lookup(offers, id);
    if (slot->offer == NULL)
        rescind_ahead(offers, id);
    else if (slot->offer->spent == NULL)
        spend(offers, slot->offer, slot->hash, rescinded);
}

void offer_table_spend_all(struct offer_table *offers, const char *why)
{
    for (struct offer *offer; (offer = TAILQ_FIRST(&offers->outstanding.offers)) != NULL;)
        spend(offers, offer, hash_index_hash(offer_table_id(offer)), why);
}

size_t offer_table_count(const struct offer_table *offers)
{
    return offers->outstanding.count;
}

const struct offer *offer_table_first(const struct offer_table *offers)
{
    return TAILQ_FIRST(&offers->outstanding.offers);
}
