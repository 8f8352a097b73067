// SPDX-License-Identifier: Apache-2.0
//
// mesos.resources: lists of Resource from a table of amounts or from Mesos's text form.

#ifndef MESOS_LUA_BINDINGS_OFFERS_RESOURCE_LIST_H
#define MESOS_LUA_BINDINGS_OFFERS_RESOURCE_LIST_H

#include "base/buffer.h"
#include "offers/resources.h"
#include "script/lint.h"

#include <lua.h>

// Pushes a list of the Resource messages in `packed`, which are its field 1, each. // [-0, +1, e]
void resource_list_push(lua_State *L, struct slice packed);

// Appends all of the list in that form.
void resource_list_pack(const struct resources *list, struct buffer *buffer);

// For mesos-lua check: what mesos.resources takes.
extern const struct lint_type resource_list_type;

void resource_list_push_function(lua_State *L); // mesos.resources // [-0, +1, m]

#endif
