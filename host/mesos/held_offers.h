// SPDX-License-Identifier: Apache-2.0
//
// Offers that the framework neither uses nor declines go to no other framework, and holding them is
// mostly an oversight: an offer that is held for longer than some seconds is logged, once; those
// that reach that age at about the same time share a line.

#ifndef MESOS_LUA_MESOS_HELD_OFFERS_H
#define MESOS_LUA_MESOS_HELD_OFFERS_H

#include "loop/loop.h"
#include "offers/offer_table.h"

struct held_offers {
    struct loop *loop;
    struct offer_table *offers; // the outstanding ones
    double seconds;             // 0: never
    uint64_t reported;          // offers that arrived until then were logged
    struct timer timer;
};

void held_offers_init(struct held_offers *held, struct loop *loop, struct offer_table *offers,
                      double seconds);
void held_offers_watch(struct held_offers *held); // there are new ones
void held_offers_stop(struct held_offers *held);

#endif
