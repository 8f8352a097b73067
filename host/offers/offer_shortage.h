// SPDX-License-Identifier: Apache-2.0
//
// Why a need fits none of the offers of a packing: one pass over their amounts, after a search that
// has found nothing.

#ifndef MESOS_LUA_OFFERS_OFFER_SHORTAGE_H
#define MESOS_LUA_OFFERS_OFFER_SHORTAGE_H

#include "offers/offer_packing.h"

struct offer_shortage {
    size_t live;    // rows whose offer is outstanding
    size_t allowed; // of these, those that the need's mask allows
    // The amount that is short, or NULL if a row has them all: one that no row has, if there is
    // one; otherwise the one that the nearest row (that which lacks the smallest part of the need)
    // lacks most of.
    const struct offer_packing_amount *amount;
    double most;      // of it on one row, in thousandths
    uint32_t nearest; // the row; OFFER_PACKING_NONE if no row is allowed
    double left;      // of it there
};

// `rows` are those that were searched. The columns are filled.
struct offer_shortage offer_shortage_find(struct offer_packing *packing,
                                          const struct offer_packing_need *need,
                                          const uint32_t *rows, size_t count);

#endif
