// SPDX-License-Identifier: Apache-2.0
//
// The outstanding offers of a framework, found by id and walked in the order of their arrival. An
// offer is kept as the bytes that the master sent: all offers of one event share one block and pin
// it. Of offers that are spent the table remembers why, for a while, so that a script that uses one
// again can be told.

#ifndef MESOS_LUA_MESOS_OFFERS_H
#define MESOS_LUA_MESOS_OFFERS_H

#include "base/bytes.h"

struct offer {
    struct offer *next, *previous; // by arrival
    struct bytes *block;           // what the slices point into; a reference
    struct slice wire;             // the Offer (or InverseOffer) message
    struct slice id;               // the text within it
    const char *spent; // NULL: outstanding; else a static text that says what became of it
    size_t references;
};

struct offers;

struct offers *offers_create(void);
void offers_destroy(struct offers *offers);

// Adds the offer whose wire form is `wire` within `block`. An id that is there already is replaced,
// unless it is of the same block: then NULL, and the first stays.
const struct offer *offers_add(struct offers *offers, struct bytes *block, struct slice wire);

// The outstanding offer of that id, or NULL. With `why`, the reason if it is known to be spent,
// else NULL.
const struct offer *offers_find(struct offers *offers, struct slice id, const char **why);

// The offer is spent: `why` completes "offer X ..." ("was declined") and must be static. An id that
// is not outstanding is ignored. The `struct offer` is gone after it.
bool offers_spend(struct offers *offers, struct slice id, const char *why);
void offers_spend_all(struct offers *offers, const char *why);

// Keeps the struct, of which only `spent` may be looked at from then on: it is set when the offer
// is spent, and at the latest when the table goes. For whoever asks often and late.
struct offer *offer_ref(const struct offer *offer);
void offer_unref(struct offer *offer); // NULL is fine

size_t offers_count(const struct offers *offers);
const struct offer *offers_first(const struct offers *offers); // then ->next

#endif
