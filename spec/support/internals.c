// SPDX-License-Identifier: Apache-2.0
//
// The Lua module `internals`: access for the specs to rooms of the host that have no interface in
// Lua. It belongs to the tests and is never installed; it adds no behaviour, so what a spec sees is
// what the host does.

#include "internals.h"

#include <lauxlib.h>

int luaopen_internals(lua_State *L);

// Adds the names of a part, of which no other may have any. // [-1, +0, e]
static void merge(lua_State *L, int names)
{
    int part = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, part) != 0;) {
        const char *name = lua_tostring(L, -2);
        if (lua_getfield(L, names, name) != LUA_TNIL)
            luaL_error(L, "two parts have a rooms.%s", name);
        lua_pop(L, 1);
        lua_setfield(L, names, name);
    }
    lua_pop(L, 1);
}

int luaopen_internals(lua_State *L)
{
    static void (*const parts[])(lua_State *) = {
        internals_allocator_open,    internals_base_open,         internals_descriptors_open,
        internals_differential_open, internals_loop_open,         internals_recordio_open,
        internals_reply_open,        internals_subscription_open, internals_message_open,
        internals_state_open,        internals_world_open,        internals_offers_open,
        internals_tasks_open,        internals_cluster_open,      internals_channels_open,
        internals_master_open,       internals_direct_open,       internals_children_open,
        internals_sim_open,          internals_books_open,        internals_encodings_open,
    };
    lua_newtable(L);
    int names = lua_gettop(L);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        lua_newtable(L);
        parts[i](L);
        merge(L, names);
    }
    return 1;
}
