// SPDX-License-Identifier: Apache-2.0
//
// Lists of offers with methods for policies: best_fit, first_fit, worst_fit, take, left, filter,
// sort_by, sum, ids. They are plain Lua lists with a metatable; what the methods know of a list is
// made when one is first called (offer_list_index.h).

#ifndef MESOS_LUA_BINDINGS_OFFERS_OFFER_LIST_H
#define MESOS_LUA_BINDINGS_OFFERS_OFFER_LIST_H

#include "base/bytes.h"

#include <lua.h>

struct offer;

// Finds the outstanding offer of that id; NULL if there is none.
struct offer_finder {
    const struct offer *(*find)(void *data, struct slice id);
    void *data;
};

int l_offers(lua_State *L); // mesos.offers // [-n, +1, e]

// Makes the metatable of the lists. `finder`, which is copied, tells whether an offer is
// outstanding; NULL: all offers are. // [-0, +0, e]
void offer_list_open(lua_State *L, const struct offer_finder *finder);

#endif
