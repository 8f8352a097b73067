// SPDX-License-Identifier: Apache-2.0
//
// Checks a launch before it is sent. A master reports what it refuses in an update, long after the
// call; some of it can be seen in the bytes, and is logged as a warning that names the line of the
// script, the field and what to write instead. The call is sent all the same.

#ifndef MESOS_LUA_BINDINGS_SCHEDULER_LAUNCH_CHECK_H
#define MESOS_LUA_BINDINGS_SCHEDULER_LAUNCH_CHECK_H

#include "base/bytes.h"
#include "offers/offer_table.h"

#include <lua.h>

// Warns of the first mistake in an Accept message, which was made by that operation of the driver.
// `first` is the first of its offers, or NULL if that is not outstanding. To be called by the C
// function of that operation. // [-0, +0, m]
void launch_check(lua_State *L, struct offer_table *offers, const struct offer *first,
                  struct slice accept, const char *operation);

#endif
