// SPDX-License-Identifier: Apache-2.0
//
// mesos.state: see state_table.h. The table lives in the registry; the module's `state` is an
// access to it, so it can be saved without running any Lua code.

#include "bindings/lib/state_table.h"

#include "script/protect.h"
#include "script/serialize.h"

#include <lauxlib.h>

static const char table_key; // registry: the table, once it was asked for

static const char *const name = "mesos.state";

void state_table_push(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &table_key) != LUA_TNIL)
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &table_key);
}

void state_table_assign(lua_State *L)
{
    struct error err = {.code = ERROR_NONE};
    if (!lua_istable(L, -1))
        luaL_error(L, "%s: a table expected, got %s", name, luaL_typename(L, -1));
    if (!serialize_check(L, -1, name, STATE_TABLE_MOST, &err))
        luaL_error(L, "%s", err.text);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &table_key);
}

bool state_table_save(struct script *script, struct buffer *out, struct error *err)
{
    lua_State *L = script_state(script);
    buffer_clear(out);
    if (!lua_checkstack(L, 1))
        return error_set(err, ERROR_LIMIT, "%s: not enough memory to save it", name);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &table_key);
    bool fine = serialize_save(L, -1, name, out, err);
    lua_pop(L, 1);
    return fine;
}

bool state_table_check(struct script *script, struct error *err)
{
    lua_State *L = script_state(script);
    if (!lua_checkstack(L, 1))
        return error_set(err, ERROR_LIMIT, "%s: not enough memory to save it", name);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &table_key);
    bool fine = serialize_check(L, -1, name, STATE_TABLE_MOST, err);
    lua_pop(L, 1);
    return fine;
}

struct restoring {
    struct slice bytes;
    struct error *err;
    bool fine;
};

static int l_restore(lua_State *L)
{
    struct restoring *restoring = lua_touserdata(L, 1);
    if (!serialize_load(L, restoring->bytes, restoring->err))
        return 0;
    restoring->fine = lua_istable(L, -1) || lua_isnil(L, -1);
    if (restoring->fine)
        lua_rawsetp(L, LUA_REGISTRYINDEX, &table_key);
    else
        error_set(restoring->err, ERROR_INVALID, "it is no table");
    return 0;
}

bool state_table_restore(struct script *script, struct slice bytes, struct error *err)
{
    struct restoring restoring = {.bytes = bytes, .err = err};
    if (bytes.length == 0)
        return true;
    if (protect_run(script, NULL, l_restore, &restoring, 0) == PROTECT_RAISED) {
        error_set(err, ERROR_SCRIPT, "%s", protect_text(script));
        lua_pop(script_state(script), 1);
    }
    return restoring.fine || error_context(err, "%s", name);
}
