// SPDX-License-Identifier: Apache-2.0
//
// The module `mesos`: puts together what the other files of this room bring. A field that the
// module does not have raises when it is read, so that a misspelt function is named at once; its
// field `state` is the table that outlives the script.

#include "bindings/module.h"

#include "bindings/core/dot.h"
#include "bindings/core/hints.h"
#include "bindings/lib/exec.h"
#include "bindings/lib/http.h"
#include "bindings/lib/logging.h"
#include "bindings/lib/state_table.h"
#include "bindings/lib/timers.h"
#include "bindings/message/message_encode.h"
#include "bindings/offers/offer_list.h"
#include "bindings/offers/offer_view.h"
#include "bindings/offers/resource_list.h"
#include "bindings/scheduler/driver_methods.h"
#include "script/script.h"

#include <lauxlib.h>

#include <string.h>

enum { NAMES_MOST = 64 };

static bool is_state(lua_State *L, int key) // [-0, +0, -]
{
    return lua_type(L, key) == LUA_TSTRING && strcmp(lua_tostring(L, key), "state") == 0;
}

static const char *name_at(const void *data, size_t index)
{
    const char *const *names = data;
    return names[index];
}

// The module is at 1, the key at 2. // [-0, +0, v]
static int raise_unknown(lua_State *L)
{
    const char *names[NAMES_MOST + 1] = {"state"};
    size_t count = 1;
    const char *name = luaL_tolstring(L, 2, NULL);
    lua_pushnil(L);
    while (lua_next(L, 1) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING && count < NAMES_MOST)
            names[count++] = lua_tostring(L, -1);
    }
    return luaL_error(L, "the module mesos has no '%s'%s", name,
                      hints_push(L, name, name_at, names));
}

static int l_index(lua_State *L) // [-2, +1, e]
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (!is_state(L, 2))
        return raise_unknown(L);
    state_table_push(L);
    return 1;
}

static int l_newindex(lua_State *L) // [-3, +0, e]
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 3);
    if (is_state(L, 2))
        state_table_assign(L);
    else
        lua_rawset(L, 1);
    return 0;
}

static int l_module_exit(lua_State *L) // [-1, +0, e]
{
    dot_check(L, "exit");
    return l_exit(L);
}

int module_open(lua_State *L)
{
    struct scheduler_environment *environment = lua_touserdata(L, lua_upvalueindex(1));
    struct script *script = script_of(L);
    message_open(L);
    offer_view_open(L);
    lua_newtable(L);
    dot_library(L, "mesos");
    driver_methods_open(L, environment);
    environment->offers = (struct offer_finder){scheduler_find_offer, environment};
    offer_list_open(L, &environment->offers);
    resource_list_open(L);
    logging_open(L, script);
    timers_open(L, script);
    exec_open(L, script);
    http_open(L, script);
    lua_pushcfunction(L, l_module_exit);
    lua_setfield(L, -2, "exit");
    lua_pushliteral(L, MESOS_LUA_VERSION);
    lua_setfield(L, -2, "version");
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, l_index);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, l_newindex);
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, -2);
    return 1;
}
