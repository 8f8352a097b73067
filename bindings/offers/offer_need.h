// SPDX-License-Identifier: Apache-2.0
//
// What a script says that a task needs, { cpus = 1, mem = 128, role = "web", attributes = { rack =
// "a" }, where = function(offer) ... end }, read for a search in a stock of offers.

#ifndef MESOS_LUA_BINDINGS_OFFERS_OFFER_NEED_H
#define MESOS_LUA_BINDINGS_OFFERS_OFFER_NEED_H

#include "offers/offer_packing.h"
#include "script/lint.h"

#include <lua.h>

// Reads the amounts in the table at `index`, with columns for them, and fills the stock. `method`
// is what errors begin with. // [-0, +0, e]
void offer_need_amounts(lua_State *L, int index, struct offer_packing *stock, const char *method,
                        struct offer_packing_need *need);

enum { OFFER_WORDS = 64 }; // of one attribute

// The word on top, or those of the list there, which keeps them: what the attribute of that name
// may be. // [-0, +0, v]
size_t offer_need_words(lua_State *L, const char *method, const char *name,
                        struct offer_word *words);

// Reads role and attributes of it as well; pushes the memory of the mask, or nil. `where` is left
// to the caller. // [-0, +1, e]
void offer_need_read(lua_State *L, int index, struct offer_packing *stock, const char *method,
                     struct offer_packing_need *need);

// For mesos-lua check: names that look misspelt.
extern const struct lint_type offer_need_type;

#endif
