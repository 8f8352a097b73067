// SPDX-License-Identifier: Apache-2.0
//
// The modules sim.children and sim.system, which only the Lua state of `mesos-lua sim` has.
//
//     internals.sim_children, internals.sim_system    tables, see bindings/sim/

#include "internals.h"

#include "bindings/sim/children.h"
#include "bindings/sim/system.h"

void internals_children_open(lua_State *L)
{
    children_open(L);
    lua_setfield(L, -2, "sim_children");
    system_open(L);
    lua_setfield(L, -2, "sim_system");
}
