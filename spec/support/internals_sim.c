// SPDX-License-Identifier: Apache-2.0
//
// The module of the simulator that reads workload files: internals.sim_readers is its loader.
// internals.sim_memory() tells how many bytes of C are in use; 0 under AddressSanitizer.

#include "internals.h"

#include "bindings/message/json.h"
#include "bindings/sim/readers.h"

#include <lauxlib.h>

#include <malloc.h>

static int l_sim_readers(lua_State *L)
{
    json_open(L);
    return readers_open(L);
}

static int l_sim_memory(lua_State *L)
{
    struct mallinfo2 info = mallinfo2();
    lua_pushinteger(L, (lua_Integer)(info.uordblks + info.hblkhd));
    return 1;
}

void internals_sim_open(lua_State *L)
{
    lua_pushcfunction(L, l_sim_memory);
    lua_setfield(L, -2, "sim_memory");
    lua_pushcfunction(L, l_sim_readers);
    lua_setfield(L, -2, "sim_readers");
}
