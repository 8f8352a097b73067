// SPDX-License-Identifier: Apache-2.0
//
// The Lua module `rooms`: a window for the specs into rooms of the host that have no Lua face of
// their own. It belongs to the tests and is never installed; it adds no behaviour, so that what a
// spec sees is what the host does.

#include "rooms.h"

#include <lauxlib.h>

int luaopen_rooms(lua_State *L);

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

int luaopen_rooms(lua_State *L)
{
    static void (*const parts[])(lua_State *) = {
        rooms_allocator_open, rooms_base_open,     rooms_descriptors_open, rooms_differential_open,
        rooms_loop_open,      rooms_recordio_open, rooms_reply_open,       rooms_subscription_open,
        rooms_message_open,   rooms_state_open,    rooms_world_open,       rooms_offers_open,
        rooms_tasks_open,     rooms_cluster_open,  rooms_channels_open,
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
