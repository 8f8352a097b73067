// SPDX-License-Identifier: Apache-2.0
//
// The outstanding offers: see offers.h. One hash table with open addressing holds the outstanding
// offers and the spent ones. An outstanding offer is an entry of the batch that came with its
// event, and batches are in a list as long as they have one. A spent one is an entry in a cell of
// the table, with a copy of its id, so that batch and block can go. At most SPENT_MOST of them are
// remembered, the oldest are forgotten first.
//
// In a steady state nothing is allocated for a single offer.

#include "offers/offer_table.h"

#include "base/hash_index.h"
#include "base/memory.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <stdlib.h>

enum { SPENT_MOST = 512, CELLS = SPENT_MOST + 1, AHEAD = 4 };

// Where a spent offer is remembered. A longer id has memory of its own.
struct cell {
    struct offer offer;
    TAILQ_ENTRY(cell) link;
    char id[64];
};

TAILQ_HEAD(cells, cell);

// The hash is stored beside the offer, so a probe reads no offer but the right one.
struct slot {
    struct offer *offer; // NULL: free
    uint64_t hash;
};

struct offer_table {
    struct slot *slots;
    size_t capacity;                                // a power of two
    struct slot *last;                              // that was looked up, or NULL
    TAILQ_HEAD(offer_batches, offer_batch) batches; // with outstanding offers, by arrival
    size_t outstanding, spent;
    struct cell *cells; // CELLS of them, of which so many were used, or NULL
    size_t cells_used;
    struct cells remembered, free; // by age
};

static const char rescinded[] = "was rescinded", rescinded_ahead[] = "was rescinded";

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

static void make_room(struct offer_table *offers, size_t more)
{
    size_t count = offers->outstanding + offers->spent + more;
    size_t capacity = offers->capacity;
    while (4 * count > 3 * capacity)
        capacity *= 2;
    if (capacity > offers->capacity)
        resize(offers, capacity);
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

// ---- outstanding offers ----

static struct offer_batch *batch_new(struct bytes *block, size_t most)
{
    struct offer_batch *batch = memory_resize(NULL, sizeof *batch + most * sizeof *batch->offers);
    *batch = (struct offer_batch){.block = bytes_ref(block)};
    return batch;
}

struct offer *offer_table_ref(const struct offer *offer)
{
    struct offer *held = (struct offer *)offer;
    held->references++;
    return held;
}

void offer_table_unref(struct offer *offer)
{
    if (offer != NULL && --offer->references == 0 && --offer->batch->alive == 0)
        free(offer->batch);
}

// The next entry of the batch, with one reference.
static struct offer *entry_new(struct offer_table *offers, struct offer_batch *batch,
                               struct slice wire, struct slice id)
{
    struct offer *offer = &batch->offers[batch->count++];
    if (batch->outstanding++ == 0)
        TAILQ_INSERT_TAIL(&offers->batches, batch, link);
    batch->alive++;
    offers->outstanding++;
    *offer = (struct offer){.batch = batch,
                            .data = wire.data,
                            .length = (uint32_t)wire.length,
                            .id_at = (uint32_t)(id.data != NULL ? id.data - wire.data : 0),
                            .id_length = (uint32_t)id.length,
                            .references = 1};
    return offer;
}

// Takes the table's reference from an entry that is outstanding no more.
static void entry_end(struct offer_table *offers, struct offer *offer, const char *why)
{
    struct offer_batch *batch = offer->batch;
    offer->spent = why;
    offer->data = NULL;
    offers->outstanding--;
    if (--batch->outstanding == 0) {
        TAILQ_REMOVE(&offers->batches, batch, link);
        bytes_unref(batch->block);
        batch->block = NULL;
    }
    offer_table_unref(offer);
}

static struct offer *skip_spent(struct offer *offer)
{
    const struct offer *end = offer->batch->offers + offer->batch->count;
    while (offer < end && offer->spent != NULL)
        offer++;
    return offer < end ? offer : NULL;
}

// A batch of the list has one.
static struct offer *first_of(struct offer_batch *batch)
{
    if (batch == NULL)
        return NULL;
    struct offer *offer = skip_spent(batch->offers + batch->spent_first);
    batch->spent_first = (size_t)(offer - batch->offers);
    return offer;
}

// ---- spent offers ----

static struct cell *get_cell(struct offer_table *offers)
{
    struct cell *cell = TAILQ_FIRST(&offers->free);
    if (cell != NULL) {
        TAILQ_REMOVE(&offers->free, cell, link);
        return cell;
    }
    if (offers->cells == NULL)
        offers->cells = memory_resize(NULL, CELLS * sizeof *offers->cells);
    return &offers->cells[offers->cells_used++];
}

// The hash is kept for the time when it is forgotten.
static struct offer *spent_new(struct offer_table *offers, struct slice id, uint64_t hash,
                               const char *why)
{
    struct cell *cell = get_cell(offers);
    const char *copy = cell->id;
    if (id.length > sizeof cell->id)
        copy = memory_text((const char *)id.data, id.length);
    else if (id.length > 0)
        memcpy(cell->id, id.data, id.length);
    cell->offer = (struct offer){.data = (const uint8_t *)copy,
                                 .length = (uint32_t)hash,
                                 .id_length = (uint32_t)id.length,
                                 .spent = why};
    TAILQ_INSERT_TAIL(&offers->remembered, cell, link);
    offers->spent++;
    return &cell->offer;
}

static void spent_end(struct offer_table *offers, struct cell *cell)
{
    if (cell->offer.id_length > sizeof cell->id)
        free((void *)cell->offer.data);
    TAILQ_REMOVE(&offers->remembered, cell, link);
    TAILQ_INSERT_HEAD(&offers->free, cell, link);
    offers->spent--;
}

// Puts a spent offer into the slot of an outstanding one, or into a free one.
static void spend(struct offer_table *offers, struct slot *slot, struct slice id, uint64_t hash,
                  const char *why)
{
    struct offer *offer = slot->offer;
    *slot = (struct slot){.offer = spent_new(offers, id, hash, why), .hash = hash};
    if (offer != NULL)
        entry_end(offers, offer, why);
    if (offers->spent > SPENT_MOST) {
        struct cell *oldest = TAILQ_FIRST(&offers->remembered);
        table_remove(offers, &oldest->offer);
        spent_end(offers, oldest);
    }
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
    TAILQ_INIT(&offers->batches);
    TAILQ_INIT(&offers->remembered);
    TAILQ_INIT(&offers->free);
    resize(offers, 64);
    return offers;
}

// Of an entry in the table, which its caller takes out of there.
static void drop(struct offer_table *offers, struct offer *offer)
{
    if (offer->spent != NULL)
        spent_end(offers, (struct cell *)offer);
    else
        entry_end(offers, offer, "is not known any more");
}

void offer_table_destroy(struct offer_table *offers)
{
    if (offers == NULL)
        return;
    for (size_t i = 0; i < offers->capacity; i++)
        if (offers->slots[i].offer != NULL)
            drop(offers, offers->slots[i].offer);
    free(offers->slots);
    free(offers->cells);
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

// What an offer is entered with.
struct key {
    struct slice id;
    uint64_t hash;
};

// Slots lie anywhere in the table, so those of the next offers are fetched ahead.
static struct key make_key(const struct offer_table *offers, struct slice message)
{
    struct slice id = read_id(message);
    struct key key = {.id = id, .hash = hash_index_hash(id)};
    __builtin_prefetch(&offers->slots[key.hash & (offers->capacity - 1)]);
    return key;
}

static bool may_replace(const struct offer *old, const struct bytes *block)
{
    return old->spent ? old->spent != rescinded_ahead : offer_table_block(old) != block;
}

static bool add(struct offer_table *offers, struct offer_batch *batch, struct slice message,
                const struct key *key)
{
    struct slot *slot = slot_of(offers, key->hash, key->id);
    struct offer *old = slot->offer;
    if (old != NULL && !may_replace(old, batch->block))
        return false;
    struct offer *offer = entry_new(offers, batch, message, key->id);
    *slot = (struct slot){.offer = offer, .hash = key->hash};
    if (old != NULL)
        drop(offers, old);
    return true;
}

size_t offer_table_add(struct offer_table *offers, struct bytes *block, struct slice *messages,
                       size_t count)
{
    struct offer_batch *batch = batch_new(block, count);
    struct key keys[AHEAD];
    size_t added = 0, made = 0;
    make_room(offers, count);
    for (size_t i = 0; i < count; i++) {
        for (; made < count && made < i + AHEAD; made++)
            keys[made % AHEAD] = make_key(offers, messages[made]);
        if (add(offers, batch, messages[i], &keys[i % AHEAD]))
            messages[added++] = messages[i];
    }
    if (added > 0)
        return added;
    bytes_unref(block);
    free(batch);
    return 0;
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
    spend(offers, slot, id, slot->hash, why);
    return true;
}

void offer_table_rescind(struct offer_table *offers, struct slice id)
{
    make_room(offers, 1);
    struct slot *slot = lookup(offers, id);
    if (slot->offer == NULL)
        spend(offers, slot, id, hash_index_hash(id), rescinded_ahead);
    else if (slot->offer->spent == NULL)
        spend(offers, slot, id, slot->hash, rescinded);
}

void offer_table_spend_all(struct offer_table *offers, const char *why)
{
    for (const struct offer *offer; (offer = offer_table_first(offers)) != NULL;) {
        struct slice id = offer_table_id(offer);
        uint64_t hash = hash_index_hash(id);
        spend(offers, slot_of(offers, hash, id), id, hash, why);
    }
}

size_t offer_table_count(const struct offer_table *offers)
{
    return offers->outstanding;
}

const struct offer *offer_table_first(const struct offer_table *offers)
{
    return first_of(TAILQ_FIRST(&offers->batches));
}

// Walks back from the newest, since what is asked for is mostly new, and old batches are many.
const struct offer *offer_table_after(const struct offer_table *offers, uint64_t arrival)
{
    struct offer_batch *batch = TAILQ_LAST(&offers->batches, offer_batches), *oldest = NULL;
    while (batch != NULL && batch->block->held_since > arrival) {
        oldest = batch;
        batch = TAILQ_PREV(batch, offer_batches, link);
    }
    return first_of(oldest);
}

const struct offer *offer_table_next(const struct offer *offer)
{
    struct offer_batch *batch = offer->batch;
    const struct offer *next = NULL;
    if (offer + 1 < batch->offers + batch->count)
        next = skip_spent(&batch->offers[offer - batch->offers + 1]);
    return next != NULL ? next : first_of(TAILQ_NEXT(batch, link));
}
