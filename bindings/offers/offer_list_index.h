// SPDX-License-Identifier: Apache-2.0
//
// The index of a list of offers, for its methods (offer_list.h): a *selection* has, for each place
// of the list, the row in a stock (offers/offer_packing.h) and the view that was there.
//
//     list (table) ~~> selection (userdata) -> stock (userdata) -> views by row (table)
//
// The methods share a table of selections by list, which is weak. Lists that were made of others
// share the stock, and so what is left of each offer.

#ifndef MESOS_LUA_BINDINGS_OFFERS_OFFER_LIST_INDEX_H
#define MESOS_LUA_BINDINGS_OFFERS_OFFER_LIST_INDEX_H

#include "offers/offer_packing.h"

#include <lua.h>

// Upvalues of a method: the table of selections, the offer_finder or nil, its name.
enum { SELECTIONS = 1, FINDER = 2, NAME = 3 };

// The stack of a method; what it pushes comes behind.
enum { LIST = 1, ARGUMENT = 2, SECOND = 3, SELECTION = 4 };

struct offer_list_index {
    struct offer_packing *stock;
    size_t count;
    const void **views; // what the list had at each place; NULL: another view of the row's offer
    uint32_t *rows;
};

const char *offer_list_index_method(lua_State *L); // the name of the method that runs

// For methods: sets up the stack, and makes the selection or renews it if the list has another
// length; the second also if it has other offers. Both raise if there is no list. // [-n, +4 - n,
// e]
struct offer_list_index *offer_list_index_open(lua_State *L);
struct offer_list_index *offer_list_index_open_whole(lua_State *L);

// Sets up the stack, too, but makes nothing: NULL if no method has made a selection of the list.
// [-n, +4 - n, e]
struct offer_list_index *offer_list_index_peek(lua_State *L);

// The selection at SELECTION, or nil, is replaced by another of what the list has now.
// [-0, +0, e]
struct offer_list_index *offer_list_index_renew(lua_State *L);

// True if the list has the same offers at the places from `from` up to, without, `to`. // [-0, +0,
// -]
bool offer_list_index_unchanged(lua_State *L, const struct offer_list_index *selection, size_t from,
                                size_t to);

// Pushes the offer of a row of the selection at that index. // [-0, +1, -]
void offer_list_index_push_offer(lua_State *L, int selection, uint32_t row);

// Pushes a list of the offers at these places of the selection at SELECTION, with methods, that
// shares its stock. // [-0, +1, e]
void offer_list_index_push_list(lua_State *L, const uint32_t *places, size_t count);

// The message of the view on top, which is at that place of a list; raises if it is none of an
// offer. // [-0, +0, v]
struct slice offer_list_index_check_view(lua_State *L, size_t place);

// Its address is the key of the lists' metatable in the registry.
extern const char offer_list_index_metatable;

// Gives the list on top the methods. // [-0, +0, -]
static inline void offer_list_index_adopt(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &offer_list_index_metatable);
    lua_setmetatable(L, -2);
}

void offer_list_index_push_table(lua_State *L); // for the methods // [-0, +1, m]
void offer_list_index_define(lua_State *L);     // the table on top is the lists' // [-1, +0, m]

#endif
