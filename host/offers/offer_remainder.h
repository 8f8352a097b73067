// SPDX-License-Identifier: Apache-2.0
//
// What is left of one offer, piece by piece, while tasks are packed into it. A piece is one
// Resource of the offer, with its reservation and allocation; what is taken of it keeps those, as a
// task has to name them. Reserved pieces are used first: unreserved ones suit more tasks.

#ifndef MESOS_LUA_OFFERS_OFFER_REMAINDER_H
#define MESOS_LUA_OFFERS_OFFER_REMAINDER_H

#include "base/buffer.h"
#include "base/bytes.h"

struct offer_remainder;

// `offer` must outlive it.
struct offer_remainder *offer_remainder_create(struct slice offer);
struct offer_remainder *
offer_remainder_copy(const struct offer_remainder *remainder);   // NULL stays NULL
void offer_remainder_destroy(struct offer_remainder *remainder); // NULL is fine

// Takes that many thousandths of the resource (of ranges, such as ports, the lowest values), and
// appends them to `out` as Resource messages, each as field 1. Revocable pieces and others are
// never mixed. False at the cap of `out`. The caller has checked that so much is left.
bool offer_remainder_take(struct offer_remainder *remainder, struct slice name, bool revocable,
                          double thousandths, struct buffer *out);

#endif
