// SPDX-License-Identifier: Apache-2.0
//
// The Lua module `rooms`: a window for the specs into rooms of the host that have no Lua face of
// their own. It belongs to the tests and is never installed; it adds no behaviour, so that what a
// spec sees is what the host does.

#include "rooms.h"

#include <lauxlib.h>

int luaopen_rooms(lua_State *L);

int luaopen_rooms(lua_State *L)
{
    lua_newtable(L);
    rooms_allocator_open(L);
    rooms_base_open(L);
    rooms_descriptors_open(L);
    rooms_differential_open(L);
    rooms_loop_open(L);
    rooms_recordio_open(L);
    rooms_reply_open(L);
    rooms_subscription_open(L);
    rooms_message_open(L);
    rooms_state_open(L);
    rooms_world_open(L);
    rooms_offers_open(L);
    rooms_tasks_open(L);
    return 1;
}
