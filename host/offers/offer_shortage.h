// SPDX-License-Identifier: Apache-2.0
//
// Why a need fits none of the offers of a stock: one pass over their amounts, for whoever asks
// after the search has found nothing.

#ifndef MESOS_LUA_OFFERS_OFFER_SHORTAGE_H
#define MESOS_LUA_OFFERS_OFFER_SHORTAGE_H

#include "offers/offer_packing.h"

struct shortage {
    size_t live;    // rows whose offer is outstanding
    size_t allowed; // of these those that the need's mask lets pass
    // The amount that is short, or NULL if a row has them all. On no row it is there, if there is
    // such an amount; otherwise it is what the nearest row, that which lacks the smallest part of
    // the need, lacks most of.
    const struct offer_packing_amount *amount;
    double most;      // of it on one row, in thousandths
    uint32_t nearest; // the row; OFFER_PACKING_NONE if no row is allowed
    double left;      // of it there
};

// `rows` are those that were searched. The columns are filled.
struct shortage shortage_find(struct offer_packing *stock, const struct offer_packing_need *need,
                              const uint32_t *rows, size_t count);

#endif
