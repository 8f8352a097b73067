// SPDX-License-Identifier: Apache-2.0
//
// The outstanding offers of a framework, found by id and walked in the order of their arrival. An
// offer is kept as the bytes that the master sent: all offers of one event share one block and pin
// it, and their entries lie in one piece of memory. For a while the table remembers why an offer
// was spent, for the error when a script uses it again.

#ifndef MESOS_LUA_OFFERS_OFFER_TABLE_H
#define MESOS_LUA_OFFERS_OFFER_TABLE_H

#include "base/bytes.h"

#include <sys/queue.h>

struct offer_batch;

// There may be tens of thousands, so it is small.
struct offer {
    struct offer_batch *batch; // those of the same event
    const uint8_t *data;       // the Offer (or InverseOffer) message; of a spent one its id
    uint32_t length;           // of the message; of a spent one the hash of its id
    uint32_t id_at, id_length; // the text within `data`
    uint32_t references;
    const char *spent; // NULL: outstanding; else why not, a static text
};

// The offers of one event, in the order in which they came. It lives as long as one of them.
struct offer_batch {
    TAILQ_ENTRY(offer_batch) link; // by arrival, while one is outstanding
    struct bytes *block; // of which the messages are parts; a reference; NULL: all are spent
    size_t count, outstanding, alive;
    size_t spent_first; // so many at the beginning at least
    struct offer offers[];
};

static inline struct slice offer_table_id(const struct offer *offer)
{
    return (struct slice){.data = offer->data + offer->id_at, .length = offer->id_length};
}

// The message of an outstanding offer.
static inline struct slice offer_table_wire(const struct offer *offer)
{
    return (struct slice){.data = offer->data, .length = offer->length};
}

struct offer_table;

struct offer_table *offer_table_create(void);
void offer_table_destroy(struct offer_table *offers);

// When an outstanding offer arrived.
static inline uint64_t offer_table_arrival(const struct offer *offer)
{
    return offer->batch->block->held_since;
}

// The block that an outstanding offer is a part of.
static inline struct bytes *offer_table_block(const struct offer *offer)
{
    return offer->batch->block;
}

// Adds the offers with these messages, parts of `block`, which says when they arrived. An id that
// is there already is replaced, unless it is of the same block, or was rescinded ahead: that
// message is left out. Returns how many were added, whose messages are then the first ones of
// `messages`.
size_t offer_table_add(struct offer_table *offers, struct bytes *block, struct slice *messages,
                       size_t count);

// The outstanding offer of that id, or NULL. With `why`, the reason if it is known to be spent,
// else NULL.
const struct offer *offer_table_find(struct offer_table *offers, struct slice id, const char **why);

// Marks the offer as spent and frees it: `why` completes "offer X ..." ("was declined") and must be
// static. An id that is not outstanding is ignored.
bool offer_table_spend(struct offer_table *offers, struct slice id, const char *why);
// The offer is spent as rescinded; one that is not there yet will not be added.
void offer_table_rescind(struct offer_table *offers, struct slice id);

void offer_table_spend_all(struct offer_table *offers, const char *why);

// A reference on the struct, of which only `spent` may be read from then on: it is set when the
// offer is spent, and at the latest when the table is destroyed.
struct offer *offer_table_ref(const struct offer *offer);
void offer_table_unref(struct offer *offer); // NULL is fine

size_t offer_table_count(const struct offer_table *offers);

// By arrival; NULL: no more.
const struct offer *offer_table_first(const struct offer_table *offers);
const struct offer *offer_table_next(const struct offer *offer);
// The first of those that arrived after that time, or NULL.
const struct offer *offer_table_after(const struct offer_table *offers, uint64_t arrival);

#endif
