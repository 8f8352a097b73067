// SPDX-License-Identifier: Apache-2.0
//
// The window to lists of offers: rooms.offers(list), for offers of no driver.

#include "bindings/offer_list.h"
#include "bindings/resources.h"
#include "rooms.h"

void rooms_offers_open(lua_State *L)
{
    offer_list_open(L, NULL);
    resources_open(L);
}
