// SPDX-License-Identifier: Apache-2.0
//
// The module "mesos.testing.core": test beds (testbed.h) for lua/mesos/testing.lua, which is the
// interface that tests have. It needs the module "mesos" in the same Lua state.

#ifndef MESOS_LUA_BINDINGS_TESTING_TESTING_H
#define MESOS_LUA_BINDINGS_TESTING_TESTING_H

#include <lua.h>

int testing_open(lua_State *L); // its loader // [-0, +1, e]

#endif
