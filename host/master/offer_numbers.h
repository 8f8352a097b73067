// SPDX-License-Identifier: Apache-2.0
//
// The outstanding offers of a master, by their ids. These end in numbers that are given out one
// after another, so an offer is looked for where its number belongs, and only then are the ids
// compared: to hash their text would take longer than all else. The offers are the caller's.

#ifndef MESOS_LUA_MASTER_OFFER_NUMBERS_H
#define MESOS_LUA_MASTER_OFFER_NUMBERS_H

#include <stddef.h>

struct master_offer;

// A zeroed struct is the empty table.
struct offer_numbers {
    struct master_offer **slots;
    size_t capacity, count; // capacity: a power of two
};

void offer_numbers_put(struct offer_numbers *table, struct master_offer *offer);
struct master_offer *offer_numbers_find(const struct offer_numbers *table,
                                        const char *id); // NULL: there is none
void offer_numbers_remove(struct offer_numbers *table, struct master_offer *offer);
void offer_numbers_free(struct offer_numbers *table); // the slots, not the offers

#endif
