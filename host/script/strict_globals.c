// SPDX-License-Identifier: Apache-2.0
//
// Strict globals. Most reads of an undeclared global are misspelt names, most assignments to a new
// one inside a function lack `local`: both raise and name it. An assignment in a main chunk, the
// script's or a module's, declares; C functions and rawset() are exempt. What the standard
// libraries define is declared from the start. Files outside of the script's folder are exempt too:
// modules for several versions of Lua test whether a global is there.

#include "base/suggest.h"
#include "script/library.h"
#include "script/script_internal.h"

#include <lauxlib.h>

#include <string.h>

static const char declared; // registry: the set of the declared names

enum { CANDIDATES = 512 };

// Names that may have been meant, valid as long as what they come from is not changed.
struct candidates {
    size_t count;
    const char *names[CANDIDATES + 1]; // ended by NULL
};

static void add_candidate(struct candidates *candidates, const char *name)
{
    if (candidates->count < CANDIDATES && *name != '(')
        candidates->names[candidates->count++] = name;
}

// The keys of the table at `index`. // [-0, +0, -]
static void add_keys(lua_State *L, int index, struct candidates *candidates)
{
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING)
            add_candidate(candidates, lua_tostring(L, -1));
    }
}

static const char *name_at(const void *data, size_t index)
{
    const char *const *names = data;
    return names[index];
}

const char *strict_globals_nearest_key(lua_State *L, int index, const char *name)
{
    struct candidates candidates = {.count = 0};
    add_keys(L, lua_absindex(L, index), &candidates);
    return suggest(name, name_at, candidates.names);
}

const char *strict_globals_foreign(const char *name)
{
    static const struct {
        const char *name, *meant;
    } rows[] = {{"unpack", "table.unpack"},
                {"loadstring", "load"},
                {"setfenv", "load"},
                {"getfenv", "_ENV"},
                {"module", "return"},
                {"newproxy", "setmetatable"},
                {"bit32", "the operators & | ~ << >>"},
                {"bit", "the operators & | ~ << >>"},
                {"jit", "_VERSION"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].meant;
    return NULL;
}

// True if it looks like a constant of Mesos, which is a string here.
static bool is_shouted(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    return strlen(name) > 3 && strspn(name, letters) == strlen(name);
}

// [-0, +1, m]
static void push_assigned(lua_State *L, const char *name, const char *near)
{
    lua_pushfstring(L,
                    "assignment to the undeclared global '%s' in a function (%s%s%swrite 'local "
                    "%s', or declare it by an assignment in a main chunk)",
                    name, near ? "did you mean '" : "", near ? near : "",
                    near ? "'? Otherwise " : "", name);
}

static bool is_library_module(lua_State *L, const char *name) // [-0, +0, m]
{
    bool found = library_find(lua_pushfstring(L, "mesos.%s", name)) != NULL;
    lua_pop(L, 1);
    return found;
}

// [-0, +1, m]
static void push_read(lua_State *L, const char *name, const char *near)
{
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushstring(L, name);
    if (lua_rawget(L, -2) != LUA_TNIL)
        lua_pushfstring(L,
                        "undeclared global '%s' (it is a module: write local %s = require \"%s\" "
                        "first)",
                        name, name, name);
    else if (is_library_module(L, name))
        lua_pushfstring(L,
                        "undeclared global '%s' (it is a module of the library: write local %s = "
                        "require \"mesos.%s\" first)",
                        name, name, name);
    else if (strict_globals_foreign(name) != NULL)
        lua_pushfstring(L, "undeclared global '%s' (Lua 5.4 has none; there is %s)", name,
                        strict_globals_foreign(name));
    else if (near != NULL)
        lua_pushfstring(L, "undeclared global '%s' (did you mean '%s'?)", name, near);
    else if (is_shouted(name))
        lua_pushfstring(L, "undeclared global '%s' (was the string \"%s\" meant, in quotes?)", name,
                        name);
    else
        lua_pushfstring(L,
                        "undeclared global '%s' (a global is declared by assigning to it in a main "
                        "chunk; was a local variable meant?)",
                        name);
}

void strict_globals_push_error(lua_State *L, const char *name, const char *const *visible,
                               bool assigned)
{
    struct candidates candidates = {.count = 0};
    for (; *visible != NULL; visible++)
        add_candidate(&candidates, *visible);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &declared);
    add_keys(L, lua_gettop(L), &candidates);
    const char *near = suggest(name, name_at, candidates.names);
    if (assigned)
        push_assigned(L, name, near);
    else
        push_read(L, name, near);
}

// The local variables and upvalues of the caller. // [-0, +many, m]
static void collect_visible(lua_State *L, struct candidates *candidates)
{
    lua_Debug ar;
    const char *name;
    if (!lua_getstack(L, 1, &ar))
        return;
    for (int i = 1; (name = lua_getlocal(L, &ar, i)) != NULL; i++) {
        lua_pop(L, 1);
        add_candidate(candidates, name);
    }
    lua_getinfo(L, "f", &ar);
    for (int i = 1; (name = lua_getupvalue(L, -1, i)) != NULL; i++) {
        lua_pop(L, 1);
        add_candidate(candidates, name);
    }
}

// [-0, +0, v]
static int complain(lua_State *L, bool assigned)
{
    struct candidates visible = {.count = 0};
    const char *name = luaL_tolstring(L, 2, NULL);
    luaL_where(L, 1);
    collect_visible(L, &visible);
    lua_settop(L, 4);
    strict_globals_push_error(L, name, visible.names, assigned);
    lua_replace(L, 5);
    lua_settop(L, 5);
    lua_concat(L, 2);
    return lua_error(L);
}

// True if the function that reads or assigns is of that kind: "Lua", "main" (a main chunk) or "C".
static bool caller_is(lua_State *L, const char *what)
{
    lua_Debug ar;
    if (!lua_getstack(L, 1, &ar))
        return strcmp(what, "C") == 0;
    lua_getinfo(L, "S", &ar);
    return strcmp(ar.what, what) == 0;
}

// True for code of a file that is not the script's own. Code without a file, such as a line of the
// console, is its own.
static bool caller_is_foreign(lua_State *L)
{
    lua_Debug ar;
    if (!lua_getstack(L, 1, &ar))
        return false;
    lua_getinfo(L, "S", &ar);
    return *ar.source == '@' && !modules_is_own(script_of(L), ar.source + 1);
}

static int l_index(lua_State *L)
{
    lua_settop(L, 2);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &declared);
    lua_pushvalue(L, 2);
    bool known = lua_rawget(L, -2) != LUA_TNIL;
    if (known || lua_type(L, 2) != LUA_TSTRING || caller_is(L, "C") || caller_is_foreign(L))
        return 0;
    lua_settop(L, 2);
    return complain(L, false);
}

static int l_newindex(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 3);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &declared);
    lua_pushvalue(L, 2);
    bool known = lua_rawget(L, 4) != LUA_TNIL;
    if (!known && !caller_is(L, "main") && !caller_is(L, "C") && !caller_is_foreign(L)) {
        lua_settop(L, 2);
        return complain(L, true);
    }
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

void strict_globals_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"__index", l_index}, {"__newindex", l_newindex}, {NULL, NULL}};
    declare_present(L);
    lua_pushglobaltable(L);
    luaL_newlib(L, methods);
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

bool strict_globals_declared(lua_State *L, const char *name)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &declared);
    lua_pushstring(L, name);
    bool known = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 2);
    return known;
}

bool strict_globals_active(lua_State *L)
{
    int top = lua_gettop(L);
    lua_pushglobaltable(L);
    bool strict =
        luaL_getmetafield(L, -1, "__index") != LUA_TNIL && lua_tocfunction(L, -1) == l_index;
    lua_settop(L, top);
    return strict;
}
