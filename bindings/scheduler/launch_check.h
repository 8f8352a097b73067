// SPDX-License-Identifier: Apache-2.0
//
// A look at a launch before it is sent. What a master refuses comes back as the message of an
// update, long after the call; some of it can be seen in the bytes, and is logged as a warning that
// names the line of the script, the field and what to write instead. The call is sent all the same.

#ifndef MESOS_LUA_BINDINGS_SCHEDULER_LAUNCH_CHECK_H
#define MESOS_LUA_BINDINGS_SCHEDULER_LAUNCH_CHECK_H

#include "base/bytes.h"
#include "offers/offer_table.h"

#include <lua.h>

// Looks at an Accept message, made by the operation of the driver that is called so, for the first
// thing that is wrong with it. `first` is the first of its offers, or NULL if that is not
// outstanding. To be called by the C function of that operation. // [-0, +0, m]
void launch_check(lua_State *L, struct offer_table *offers, const struct offer *first,
                  struct slice accept, const char *operation);

#endif
