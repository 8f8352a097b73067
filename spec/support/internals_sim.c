// SPDX-License-Identifier: Apache-2.0
//
// The module of the simulator that reads workload files: internals.sim_readers is its loader.

#include "internals.h"

#include "bindings/message/json.h"
#include "bindings/sim/readers.h"

#include <lauxlib.h>

static int l_sim_readers(lua_State *L)
{
    json_open(L);
    return readers_open(L);
}

void internals_sim_open(lua_State *L)
{
    lua_pushcfunction(L, l_sim_readers);
    lua_setfield(L, -2, "sim_readers");
}
