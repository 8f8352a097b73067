// SPDX-License-Identifier: Apache-2.0
//
// Scratch memory for C functions that Lua calls: a buffer that lies on the Lua stack, so a Lua
// error cannot leak it.

#ifndef MESOS_LUA_BINDINGS_CORE_SCRATCH_H
#define MESOS_LUA_BINDINGS_CORE_SCRATCH_H

#include "base/buffer.h"

#include <lua.h>

// Pushes a userdata that owns a buffer and returns it, empty; its cap is 64 MiB. // [-0, +1, m]
struct buffer *scratch_push(lua_State *L);

void scratch_open(lua_State *L); // [-0, +0, e]

#endif
