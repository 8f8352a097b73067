// SPDX-License-Identifier: Apache-2.0
//
// Arguments of driver operations: see arguments.h.

#include "bindings/message/arguments.h"

#include "bindings/core/hints.h"
#include "bindings/message/view.h"
#include "wire/wire.h"

#include <lauxlib.h>

#include <string.h>

// An id is its text; `{ value = text }` is taken as everywhere. // [-0, +1, e]
static bool push_id(lua_State *L, int index)
{
    if (lua_type(L, index) == LUA_TTABLE) {
        lua_pushliteral(L, "value");
        lua_rawget(L, index);
    } else {
        lua_pushvalue(L, index);
    }
    if (lua_type(L, -1) == LUA_TSTRING)
        return true;
    lua_pop(L, 1);
    return false;
}

static int refuse(lua_State *L, const char *name, lua_Integer place, int index)
{
    return luaL_error(L, "%s[%I]: id (a string) expected, got %s", name, (LUAI_UACINT)place,
                      luaL_typename(L, index));
}

// "number", or for a message, which has an id: "a whole Offer: give its id". // [-0, +1, m]
static const char *what_is(lua_State *L, int index)
{
    struct view_content view;
    if (!view_get(L, index, &view))
        return lua_pushstring(L, luaL_typename(L, index));
    return lua_pushfstring(L, "a whole %s: give its id", wire_message_name(view.type));
}

void arguments_ids(lua_State *L, int index, const char *name)
{
    index = lua_absindex(L, index);
    lua_newtable(L);
    int list = lua_gettop(L);
    if (push_id(L, index)) {
        lua_rawseti(L, list, 1);
    } else if (lua_type(L, index) == LUA_TTABLE) {
        lua_Integer count = (lua_Integer)lua_rawlen(L, index);
        for (lua_Integer i = 1; i <= count; i++) {
            lua_rawgeti(L, index, i);
            if (!push_id(L, lua_gettop(L)))
                refuse(L, name, i, -1);
            lua_rawseti(L, list, i);
            lua_settop(L, list);
        }
    } else {
        luaL_error(L, "%s: an id or a list of ids expected, got %s%s", name, what_is(L, index),
                   lua_isnil(L, index) ? " (an id is a plain string, without .value)" : "");
    }
    lua_replace(L, index);
}

const char **arguments_roles(lua_State *L, int index, const char *name)
{
    if (lua_isnoneornil(L, index)) {
        lua_pushnil(L);
        return NULL;
    }
    if (lua_type(L, index) != LUA_TTABLE)
        luaL_error(L, "%s: a list of roles expected, got %s", name, luaL_typename(L, index));
    size_t count = lua_rawlen(L, index);
    const char **roles = lua_newuserdatauv(L, (count + 1) * sizeof *roles, 1);
    lua_pushvalue(L, index);
    lua_setiuservalue(L, -2, 1);
    for (size_t i = 0; i < count; i++) {
        if (lua_rawgeti(L, index, (lua_Integer)i + 1) != LUA_TSTRING)
            luaL_error(L, "%s[%I]: a role (a string) expected, got %s", name, (LUAI_UACINT)(i + 1),
                       luaL_typename(L, -1));
        roles[i] = lua_tostring(L, -1);
        if (strlen(roles[i]) != lua_rawlen(L, -1))
            luaL_error(L, "%s[%I]: it has a zero byte in it", name, (LUAI_UACINT)(i + 1));
        lua_pop(L, 1);
    }
    roles[count] = NULL;
    return roles;
}

// ---- options ----

static const char *name_at(const void *data, size_t index)
{
    const char *const *names = data;
    return names[index];
}

static bool is_among(const char *const *names, const char *word)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, word) == 0)
            return true;
    return false;
}

void arguments_push_unknown(lua_State *L, const char *word, const char *const *names,
                            const char *what)
{
    const char *meant = hints_push(L, word, name_at, names);
    lua_pushfstring(L, "%s '%s' is unknown%s", what, word, meant);
    lua_replace(L, -2);
}

void arguments_keys(lua_State *L, int index, const char *const *names, const char *what)
{
    index = lua_absindex(L, index);
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "%s: a name expected, got %s", what, luaL_typename(L, -2));
        const char *word = lua_tostring(L, -2);
        if (!is_among(names, word)) {
            arguments_push_unknown(L, word, names, what);
            luaL_error(L, "%s", lua_tostring(L, -1));
        }
        lua_pop(L, 1);
    }
}

double arguments_seconds(lua_State *L, int index, const char *name, double initial)
{
    double seconds = initial;
    if (lua_getfield(L, index, name) != LUA_TNIL) {
        if (lua_type(L, -1) != LUA_TNUMBER || !(lua_tonumber(L, -1) > 0))
            luaL_error(L, "%s: a number of seconds above 0 expected, got %s", name,
                       luaL_tolstring(L, -1, NULL));
        seconds = lua_tonumber(L, -1);
    }
    lua_pop(L, 1);
    return seconds;
}

size_t arguments_size(lua_State *L, int index, const char *name, size_t initial)
{
    lua_Integer size = (lua_Integer)initial;
    if (lua_getfield(L, index, name) != LUA_TNIL) {
        int whole = 0;
        size = lua_type(L, -1) == LUA_TNUMBER ? lua_tointegerx(L, -1, &whole) : 0;
        if (!whole || size < 0 || size > (lua_Integer)1 << 30)
            luaL_error(L, "%s: a whole number of bytes from 0 to 1073741824 expected, got %s", name,
                       luaL_tolstring(L, -1, NULL));
    }
    lua_pop(L, 1);
    return (size_t)size;
}

const char *arguments_text(lua_State *L, int index, const char *name)
{
    if (lua_getfield(L, index, name) == LUA_TNIL)
        return NULL;
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "%s: a text expected, got %s", name, luaL_typename(L, -1));
    const char *text = lua_tostring(L, -1);
    if (strlen(text) != lua_rawlen(L, -1))
        luaL_error(L, "%s: contains a zero byte", name);
    return text;
}
