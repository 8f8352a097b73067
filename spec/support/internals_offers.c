// SPDX-License-Identifier: Apache-2.0
//
// Access to lists of offers: internals.offers(list), for offers that belong to no driver.

#include "bindings/offers/offer_list.h"
#include "bindings/offers/resource_list.h"
#include "internals.h"

void internals_offers_open(lua_State *L)
{
    offer_list_open(L, NULL);
    lua_pushcfunction(L, l_offers);
    lua_setfield(L, -2, "offers");
    resource_list_push_function(L);
    lua_setfield(L, -2, "resources");
}
