// SPDX-License-Identifier: Apache-2.0
//
// What an offer has beyond its fields: the sums `cpus`, `mem`, `disk` and `gpus`, the list `ports`
// and the method `attribute(name)`. They count what the framework may use with the offer: resources
// that are unreserved or reserved to the role that the offer is allocated to (in an offer to a
// framework with a single role, which names none: any reserved ones), and none that are revocable.

#ifndef MESOS_LUA_BINDINGS_OFFERS_OFFER_VIEW_H
#define MESOS_LUA_BINDINGS_OFFERS_OFFER_VIEW_H

#include <lua.h>

// Gives the views of offers these fields; behind message_open(). // [-0, +0, e]
void offer_view_open(lua_State *L);

#endif
