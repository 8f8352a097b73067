// SPDX-License-Identifier: Apache-2.0
//
// What is missing: see offer_shortage.h.

#include "offers/offer_shortage.h"

#include <math.h>

static double left_of(const struct offer_packing *packing,
                      const struct offer_packing_amount *amount, uint32_t row)
{
    double left = offer_packing_left(packing, amount->column, row);
    if (amount->revocable == OFFER_PACKING_NONE)
        return left;
    double other = offer_packing_left(packing, amount->revocable, row);
    return other > left ? other : left;
}

// The part of an amount that is missing, from 0 to 1.
static double missing(const struct offer_packing_amount *amount, double left)
{
    return left < amount->thousandths ? (amount->thousandths - left) / amount->thousandths : 0;
}

struct search {
    double most[OFFER_PACKING_AMOUNTS];
    double least; // of the parts that a row lacks, summed up
};

static void compare_row(const struct offer_packing *packing, const struct offer_packing_need *need,
                        uint32_t row, struct search *search, struct offer_shortage *found)
{
    double sum = 0;
    for (size_t i = 0; i < need->count; i++) {
        double left = left_of(packing, &need->amounts[i], row);
        if (left > search->most[i])
            search->most[i] = left;
        sum += missing(&need->amounts[i], left);
    }
    if (sum >= search->least)
        return;
    search->least = sum;
    found->nearest = row;
}

// On the nearest row, among those that no row has, if there are any.
static void choose_amount(const struct offer_packing *packing,
                          const struct offer_packing_need *need, const struct search *search,
                          struct offer_shortage *found)
{
    double largest = 0;
    bool scarce = false;
    for (size_t i = 0; i < need->count; i++) {
        const struct offer_packing_amount *amount = &need->amounts[i];
        double left = left_of(packing, amount, found->nearest), part = missing(amount, left);
        bool nowhere = search->most[i] < amount->thousandths;
        if (part == 0 || (scarce && !nowhere) || (part <= largest && nowhere == scarce))
            continue;
        largest = part;
        scarce = nowhere;
        found->amount = amount;
        found->most = search->most[i];
        found->left = left;
    }
}

struct offer_shortage offer_shortage_find(struct offer_packing *packing,
                                          const struct offer_packing_need *need,
                                          const uint32_t *rows, size_t count)
{
    struct offer_shortage found = {.nearest = OFFER_PACKING_NONE};
    struct search search = {.least = INFINITY};
    for (size_t i = 0; i < count; i++) {
        if (offer_packing_spent(packing, rows[i]) != NULL)
            continue;
        found.live++;
        if (need->mask != NULL && !need->mask[rows[i]])
            continue;
        found.allowed++;
        compare_row(packing, need, rows[i], &search, &found);
    }
    if (found.nearest != OFFER_PACKING_NONE)
        choose_amount(packing, need, &search, &found);
    return found;
}
