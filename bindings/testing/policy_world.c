// SPDX-License-Identifier: Apache-2.0
//
// What a policy has in place of the world outside: see policy_world.h.

#include "bindings/testing/policy_world.h"

#include "bindings/core/scratch.h"
#include "script/protect.h"
#include "script/serialize.h"

#include <lauxlib.h>

#include <math.h>

// Of the module `mesos`: those that it has are replaced.
static const char *const outside[] = {"exec", "http", "process", "serve"};

static struct policy_world *world_of(lua_State *L) // [-0, +0, -]
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

// ---- the clock ----

static int l_time(lua_State *L) // [-(0|1), +1, e]
{
    if (lua_isnoneornil(L, 1)) {
        lua_pushinteger(L, (lua_Integer)floor(loop_wall(world_of(L)->loop)));
        return 1;
    }
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int l_date(lua_State *L) // [-n, +1, e]
{
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_pushliteral(L, "%c");
    }
    if (lua_isnoneornil(L, 2)) {
        lua_settop(L, 1);
        lua_pushinteger(L, (lua_Integer)floor(loop_wall(world_of(L)->loop)));
    }
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

static int l_clock(lua_State *L) // [-0, +1, -]
{
    lua_pushnumber(L, (double)loop_now(world_of(L)->loop) / (double)LOOP_SECOND);
    return 1;
}

// Replaces a function of the table at the top; the old one is the second upvalue. // [-0, +0, e]
static void replace(lua_State *L, struct policy_world *world, const char *name,
                    lua_CFunction function)
{
    lua_pushlightuserdata(L, world);
    lua_getfield(L, -2, name);
    lua_pushcclosure(L, function, 2);
    lua_setfield(L, -2, name);
}

static void set_clock(lua_State *L, struct policy_world *world) // [-0, +0, e]
{
    lua_getglobal(L, "os");
    replace(L, world, "time", l_time);
    replace(L, world, "date", l_date);
    replace(L, world, "clock", l_clock);
    lua_pop(L, 1);
}

// ---- random numbers ----

static void set_seed(lua_State *L, uint64_t seed) // [-0, +0, e]
{
    lua_getglobal(L, "math");
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, (lua_Integer)seed);
    lua_call(L, 1, 0);
    lua_pop(L, 1);
}

// ---- stubs ----

// Pushes the values of the list at the top, which has its length in "n". // [-1, +n, e]
static int spread(lua_State *L)
{
    int list = lua_gettop(L);
    lua_getfield(L, list, "n");
    int count = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    luaL_checkstack(L, count, "too many results of a stub");
    for (int i = 1; i <= count; i++)
        lua_rawgeti(L, list, i);
    return count;
}

// mesos.exec and its like: the arguments go to the stub as plain data, and its results
// come back so. // [-n, +m, e]
static int l_stub(lua_State *L)
{
    struct policy_world *world = world_of(L);
    const char *name = lua_tostring(L, lua_upvalueindex(2));
    struct error err = {0};
    int count = lua_gettop(L);
    lua_createtable(L, count, 1);
    lua_insert(L, 1);
    for (int i = count; i > 0; i--)
        lua_rawseti(L, 1, i);
    lua_pushinteger(L, count);
    lua_setfield(L, 1, "n");
    struct buffer *values = scratch_push(L);
    if (!serialize_save(L, 1, "arguments", values, &err) ||
        !world->stub(world->data, name, values, &err))
        return luaL_error(L, "mesos.%s: %s", name, err.text);
    if (!serialize_load(L, buffer_slice(values), &err))
        return luaL_error(L, "mesos.%s: %s", name, err.text);
    return spread(L);
}

void policy_world_call_stub(lua_State *L, const char *name, struct buffer *values)
{
    struct error err = {0};
    lua_pushstring(L, name);
    if (!serialize_load(L, buffer_slice(values), &err))
        luaL_error(L, "%s", err.text);
    lua_call(L, 2, 1);
    if (!serialize_save(L, -1, "results of the stub", values, &err))
        luaL_error(L, "%s", err.text);
    lua_pop(L, 1);
}

static void set_stubs(lua_State *L, struct policy_world *world) // [-0, +0, e]
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "mesos");
    lua_call(L, 1, 1);
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        lua_pushstring(L, outside[i]);
        bool there = lua_rawget(L, -2) != LUA_TNIL;
        lua_pop(L, 1);
        if (!there)
            continue;
        lua_pushlightuserdata(L, world);
        lua_pushstring(L, outside[i]);
        lua_pushcclosure(L, l_stub, 2);
        lua_setfield(L, -2, outside[i]);
    }
    lua_pop(L, 1);
}

// ---- a new state ----

static int l_open(lua_State *L) // [-0, +0, e]
{
    struct policy_world *world = lua_touserdata(L, 1);
    set_clock(L, world);
    set_seed(L, world->seed);
    set_stubs(L, world);
    return 0;
}

bool policy_world_open(struct policy_world *world, struct script *script, struct error *err)
{
    enum protect_outcome outcome = protect_run(script, NULL, l_open, world, 0);
    if (outcome != PROTECT_RAISED)
        return outcome == PROTECT_DONE;
    error_set(err, ERROR_SCRIPT, "%s", protect_text(script));
    lua_pop(script_state(script), 1);
    return false;
}

uint32_t policy_world_hash_seed(const struct policy_world *world)
{
    return (uint32_t)((world->seed * UINT64_C(0x9e3779b97f4a7c15)) >> 32) | 1;
}
