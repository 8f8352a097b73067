// SPDX-License-Identifier: Apache-2.0
//
// Why a method of a list of offers found no offer for a need, as a text for a person: "cpus: 64
// needed, most on one offer 2". An attribute that is given in another type than the offers have is
// logged as well, once for each line of the script.

#ifndef MESOS_LUA_BINDINGS_OFFERS_OFFER_MISFIT_H
#define MESOS_LUA_BINDINGS_OFFERS_OFFER_MISFIT_H

#include "bindings/offers/offer_list_index.h"

// The need is at ARGUMENT, and the whole selection was searched for it. // [-0, +1, e]
void offer_misfit_push(lua_State *L, const struct offer_list_index *selection);

#endif
