// SPDX-License-Identifier: Apache-2.0
//
// Headers of HTTP: see http_headers.h.

#include "bindings/lib/http_headers.h"

#include <lauxlib.h>

#include <ctype.h>
#include <string.h>

#define HEADERS_TYPE "mesos.http.headers"

enum { NAME_LIMIT = 256 }; // bytes of the name of a header that is looked for

static void push_lower(lua_State *L, const char *text, size_t length) // [-0, +1, m]
{
    luaL_Buffer buffer;
    char *space = luaL_buffinitsize(L, &buffer, length);
    for (size_t i = 0; i < length; i++)
        space[i] = (char)tolower((unsigned char)text[i]);
    luaL_pushresultsize(&buffer, length);
}

// (headers, name): the names are there in small letters, and may be asked for in any.
static int l_headers_index(lua_State *L)
{
    size_t length;
    luaL_checktype(L, 1, LUA_TTABLE);
    if (lua_type(L, 2) != LUA_TSTRING)
        return 0;
    const char *name = lua_tolstring(L, 2, &length);
    if (length > NAME_LIMIT)
        return 0;
    push_lower(L, name, length);
    lua_rawget(L, 1);
    return 1;
}

void http_headers_add(lua_State *L, struct slice name, struct slice value)
{
    push_lower(L, (const char *)name.data, name.length);
    lua_pushvalue(L, -1);
    bool again = lua_rawget(L, -3) != LUA_TNIL;
    if (again)
        lua_pushliteral(L, ", ");
    else
        lua_pop(L, 1);
    lua_pushlstring(L, (const char *)value.data, value.length);
    if (again)
        lua_concat(L, 3);
    lua_rawset(L, -3);
}

void http_headers_adopt(lua_State *L)
{
    luaL_setmetatable(L, HEADERS_TYPE);
}

bool http_headers_is_token(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && length == strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx"
                                                "yz0123456789!#$%&'*+-.^_`|~");
}

void http_headers_open(lua_State *L)
{
    luaL_newmetatable(L, HEADERS_TYPE);
    lua_pushcfunction(L, l_headers_index);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
