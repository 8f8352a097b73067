// SPDX-License-Identifier: Apache-2.0
//
// The inside of an explanation, for its own files: offer_explain.c has the rows and the sums,
// offer_reasons.c the parts of the need and what is said of each.

#ifndef MESOS_LUA_OFFERS_OFFER_EXPLAIN_INTERNAL_H
#define MESOS_LUA_OFFERS_OFFER_EXPLAIN_INTERNAL_H

#include "offers/offer_explain.h"

struct offer_explain {
    uint64_t now, second, began;
    struct offer_packing *packing;
    struct offer_explain_row *rows;
    size_t row_count, row_capacity;
    struct offer_reason reasons[OFFER_EXPLAIN_REASONS];
    size_t reason_count;
    struct offer_explain_sums sums;
    size_t nearest;
    size_t filters[OFFER_EXPLAIN_FILTERS], filter_count;
};

// Counts the rows that lack each reason and finds the nearest of them, then sorts the reasons and
// drops those that no row lacks. The rows are complete.
void offer_reasons_finish(struct offer_explain *explain);

// Agents of counted rows that were lost become a reason. False if there is no room.
bool offer_reasons_lost(struct offer_explain *explain);
void offer_reasons_free(struct offer_explain *explain);

#endif
