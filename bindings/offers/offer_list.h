// SPDX-License-Identifier: Apache-2.0
//
// Lists of offers with methods for policies: best_fit, first_fit, worst_fit, take, left, filter,
// sort_by, sum, ids. They are plain Lua lists with a metatable; what the methods know of a list is
// made when one is first called (offer_list_index.h).

#ifndef MESOS_LUA_BINDINGS_OFFERS_OFFER_LIST_H
#define MESOS_LUA_BINDINGS_OFFERS_OFFER_LIST_H

#include "base/bytes.h"

#include <lua.h>

// Gives the list at the top the methods. // [-0, +0, e]
void offer_list_adopt(lua_State *L);

struct offer;

// Finds the outstanding offer of that id; NULL if there is none.
struct offer_finder {
    const struct offer *(*find)(void *data, struct slice id);
    void *data;
};

// Adds `offers` to the module at the top. `finder` tells whether an offer is outstanding, and must
// outlive the state; NULL: all offers are. // [-0, +0, e]
void offer_list_open(lua_State *L, const struct offer_finder *finder);

#endif
