// SPDX-License-Identifier: Apache-2.0
//
// Strict globals. Most reads of an undeclared global are misspelt names, most assignments to a new
// one inside a function lack `local`: both raise and name it. An assignment in a main chunk, the
// script's or a module's, declares; C functions and rawset() do as they like. What the standard
// libraries define is declared from the start.

#include "base/suggest.h"
#include "script/world.h"

#include <lauxlib.h>

#include <string.h>

static const char declared; // registry: the set of the declared names

enum { CANDIDATES = 256 };

// The names of the set at `index`; valid as long as it is not changed. // [-0, +0, -]
static void collect_names(lua_State *L, int index, const char **names)
{
    size_t count = 0;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING && count < CANDIDATES)
            names[count++] = lua_tostring(L, -1);
    }
}

static const char *name_at(const void *data, size_t index)
{
    const char *const *names = data;
    return names[index];
}

static int raise_undeclared(lua_State *L, const char *name)
{
    const char *names[CANDIDATES + 1] = {NULL};
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushstring(L, name);
    if (lua_rawget(L, -2) != LUA_TNIL)
        return luaL_error(L,
                          "undeclared global '%s' (it is a module: write local %s = require "
                          "\"%s\" first)",
                          name, name, name);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &declared);
    collect_names(L, lua_gettop(L), names);
    const char *nearest = suggest(name, name_at, names);
    if (nearest != NULL)
        return luaL_error(L, "undeclared global '%s' (did you mean '%s'?)", name, nearest);
    return luaL_error(L,
                      "undeclared global '%s' (a global is declared by assigning to it in a main "
                      "chunk; was a local variable meant?)",
                      name);
}

// Is the function that reads or assigns written in Lua, and is it a main chunk?
static bool caller_is(lua_State *L, const char *what)
{
    lua_Debug ar;
    if (!lua_getstack(L, 1, &ar))
        return strcmp(what, "C") == 0;
    lua_getinfo(L, "S", &ar);
    return strcmp(ar.what, what) == 0;
}

static int l_index(lua_State *L)
{
    lua_settop(L, 2);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &declared);
    lua_pushvalue(L, 2);
    bool known = lua_rawget(L, -2) != LUA_TNIL;
    if (known || lua_type(L, 2) != LUA_TSTRING || caller_is(L, "C"))
        return 0;
    return raise_undeclared(L, lua_tostring(L, 2));
}

static int raise_assigned(lua_State *L)
{
    const char *name = luaL_tolstring(L, 2, NULL);
    return luaL_error(L,
                      "assignment to the undeclared global '%s' in a function (write 'local %s', "
                      "or declare it by an assignment in a main chunk)",
                      name, name);
}

static int l_newindex(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 3);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &declared);
    lua_pushvalue(L, 2);
    bool known = lua_rawget(L, 4) != LUA_TNIL;
    if (!known && !caller_is(L, "main") && !caller_is(L, "C"))
        return raise_assigned(L);
    lua_pushvalue(L, 2);
    lua_pushboolean(L, 1);
    lua_rawset(L, 4);
    lua_settop(L, 3);
    lua_rawset(L, 1);
    return 0;
}

static void declare_present(lua_State *L) // [-0, +0, m]
{
    lua_pushglobaltable(L);
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, -3) != 0) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushboolean(L, 1);
        lua_rawset(L, -4);
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, &declared);
    lua_pop(L, 1);
}

void globals_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"__index", l_index}, {"__newindex", l_newindex}, {NULL, NULL}};
    declare_present(L);
    lua_pushglobaltable(L);
    luaL_newlib(L, methods);
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}
