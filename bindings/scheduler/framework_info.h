// SPDX-License-Identifier: Apache-2.0
//
// The FrameworkInfo that a script writes, with what it left out filled in.

#ifndef MESOS_LUA_BINDINGS_SCHEDULER_FRAMEWORK_INFO_H
#define MESOS_LUA_BINDINGS_SCHEDULER_FRAMEWORK_INFO_H

#include "base/bytes.h"

#include <lua.h>

// The wire form of the FrameworkInfo at `index` (a table or nil), in memory that what this leaves
// on the stack owns. Filled in: `user` is the OS user, `hostname` this machine, `name` the
// script's, `principal` that of the credential (a table or nil at `credential`), `capabilities`
// MULTI_ROLE and RESERVATION_REFINEMENT (without MULTI_ROLE where `role` is set), `roles` { "*" }
// with MULTI_ROLE.
// // [-0, +many, e]
struct slice framework_info_encode(lua_State *L, int index, int credential);

// Replaces the FrameworkInfo at `index` by a copy that has `id`, `user`, `principal`, `hostname`
// and `checkpoint` from `current` (wire form) where it has none, and, where it names no
// capabilities, these and `roles` filled in as above. // [-0, +0, e]
void framework_info_complete(lua_State *L, int index, struct slice current);

#endif
