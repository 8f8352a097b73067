// SPDX-License-Identifier: Apache-2.0
//
// What a list of resources adds to shares, and what to quota. It is counted once, when something is
// offered or launched, and kept with that: to give it and to take it back are a few additions.
//
// Most lists are open: nothing of them is reserved, revocable or shared, and of scalars they have
// known names only. Then both are the same few numbers. Of any other list `closed` has both.

#ifndef MESOS_LUA_MASTER_QUANTITIES_CHARGE_H
#define MESOS_LUA_MASTER_QUANTITIES_CHARGE_H

#include "master/quantities.h"

// A zeroed struct is the charge of the empty list.
struct quantities_charge {
    int64_t open[QUANTITIES_KNOWN];
    struct quantities_closed {
        struct quantities all, free; // QUANTITIES_ALL, QUANTITIES_FREE
    } * closed;                      // NULL: the list is open
};

// The charge of a list, to be freed. `charge` is overwritten.
void quantities_charge_of(struct quantities_charge *charge, const struct quantity_names *names,
                          const struct resources *list);

void quantities_charge_free_closed(struct quantities_charge *charge);

// It is that of nothing then.
static inline void quantities_charge_free(struct quantities_charge *charge)
{
    if (charge->closed != NULL)
        quantities_charge_free_closed(charge);
    *charge = (struct quantities_charge){.closed = NULL};
}

// The part of a closed one that is of that kind, which is not QUANTITIES_RESERVED.
static inline const struct quantities *
quantities_charge_part(const struct quantities_charge *charge, enum quantities_kind kind)
{
    return kind == QUANTITIES_ALL ? &charge->closed->all : &charge->closed->free;
}

// What of it is of that kind, under one name.
static inline int64_t quantities_charge_amount(const struct quantities_charge *charge,
                                               size_t number, enum quantities_kind kind)
{
    if (charge->closed != NULL)
        return quantities_charge_part(charge, kind)->amount[number];
    return number < QUANTITIES_KNOWN ? charge->open[number] : 0;
}

// Adds what is of that kind to a sum, or takes it away.
static inline void quantities_charge_put(struct quantities *sum,
                                         const struct quantities_charge *charge,
                                         enum quantities_kind kind)
{
    if (charge->closed != NULL)
        quantities_add(sum, quantities_charge_part(charge, kind));
    else
        for (size_t i = 0; i < QUANTITIES_KNOWN; i++)
            quantities_add_amount(&sum->amount[i], charge->open[i]);
}

static inline void quantities_charge_take(struct quantities *sum,
                                          const struct quantities_charge *charge,
                                          enum quantities_kind kind)
{
    if (charge->closed != NULL)
        quantities_subtract(sum, quantities_charge_part(charge, kind));
    else
        for (size_t i = 0; i < QUANTITIES_KNOWN; i++)
            sum->amount[i] -= charge->open[i];
}

#endif
