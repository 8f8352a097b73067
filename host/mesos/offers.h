// SPDX-License-Identifier: Apache-2.0
//
// The outstanding offers of a framework, found by id and walked in the order of their arrival. An
// offer is kept as the bytes that the master sent: all offers of one event share one block and pin
// it. Of offers that are spent the table remembers why, for a while, so that a script that uses one
// again can be told.

#ifndef MESOS_LUA_MESOS_OFFERS_H
#define MESOS_LUA_MESOS_OFFERS_H

#include "base/bytes.h"

// There are as many as tens of thousands, so that it is kept small.
struct offer {
    struct offer *next, *previous; // by arrival
    struct bytes *block;           // of which `data` is a part; a reference; NULL: spent
    const uint8_t *data;           // the Offer (or InverseOffer) message; of a spent one its id
    uint32_t length;               // of the message
    uint32_t id_at, id_length;     // the text within `data`
    uint32_t references;
    const char *spent; // NULL: outstanding; else a static text that says what became of it
};

static inline struct slice offers_id(const struct offer *offer)
{
    return (struct slice){.data = offer->data + offer->id_at, .length = offer->id_length};
}

// The message of an outstanding offer.
static inline struct slice offers_wire(const struct offer *offer)
{
    return (struct slice){.data = offer->data, .length = offer->length};
}

struct offers;

struct offers *offers_create(void);
void offers_destroy(struct offers *offers);

// Since when an outstanding offer is held.
static inline uint64_t offers_taken(const struct offer *offer)
{
    return offer->block->taken;
}

// Adds the offer whose wire form is `wire` within `block`, which says when it was taken. An id that
// is there already is replaced, unless it is of the same block, or was rescinded ahead: then NULL,
// and the first stays.
const struct offer *offers_add(struct offers *offers, struct bytes *block, struct slice wire);

// The outstanding offer of that id, or NULL. With `why`, the reason if it is known to be spent,
// else NULL.
const struct offer *offers_find(struct offers *offers, struct slice id, const char **why);

// The offer is spent: `why` completes "offer X ..." ("was declined") and must be static. An id that
// is not outstanding is ignored. The `struct offer` is gone after it.
bool offers_spend(struct offers *offers, struct slice id, const char *why);
// The offer is spent as rescinded; one that is not there yet will not be added.
void offers_rescind(struct offers *offers, struct slice id);

void offers_spend_all(struct offers *offers, const char *why);

// Keeps the struct, of which only `spent` may be looked at from then on: it is set when the offer
// is spent, and at the latest when the table goes. For whoever asks often and late.
struct offer *offer_ref(const struct offer *offer);
void offer_unref(struct offer *offer); // NULL is fine

size_t offers_count(const struct offers *offers);
const struct offer *offers_first(const struct offers *offers); // then ->next

#endif
