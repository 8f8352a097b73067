// SPDX-License-Identifier: Apache-2.0
//
// The parser of pipelined answers seen from Lua.

#include "internals.h"

#include "net/http_reply_parser.h"

#include <lauxlib.h>

#define PARSER "internals.reply_parser"

// internals.reply_parser() -> parser
static int l_reply_parser(lua_State *L)
{
    http_reply_parser_init(lua_newuserdatauv(L, sizeof(struct http_reply_parser), 0));
    luaL_setmetatable(L, PARSER);
    return 1;
}

static struct http_reply_parser *check_parser(lua_State *L)
{
    return luaL_checkudata(L, 1, PARSER);
}

// [-0, +1, m]
static void push_reply(lua_State *L, const struct http_reply_parser *parser)
{
    lua_createtable(L, 0, 5);
    lua_pushinteger(L, parser->status);
    lua_setfield(L, -2, "status");
    lua_pushlstring(L, (const char *)parser->body.data, parser->body.length);
    lua_setfield(L, -2, "body");
    lua_pushboolean(L, parser->close);
    lua_setfield(L, -2, "close");
    if (parser->location[0]) {
        lua_pushstring(L, parser->location);
        lua_setfield(L, -2, "location");
    }
    if (parser->challenge[0]) {
        lua_pushstring(L, parser->challenge);
        lua_setfield(L, -2, "challenge");
    }
}

// parser:feed(bytes) -> list of answers, or nil, message, and the list of answers before
static int l_feed(lua_State *L)
{
    struct http_reply_parser *parser = check_parser(L);
    size_t length;
    const uint8_t *input = (const uint8_t *)luaL_checklstring(L, 2, &length);
    struct error err = {.code = ERROR_NONE};
    lua_newtable(L);
    while (length > 0) {
        enum http_reply_status status = http_reply_parser_feed(parser, &input, &length, &err);
        if (status == HTTP_REPLY_BAD) {
            lua_pushnil(L);
            lua_pushstring(L, err.text);
            lua_rotate(L, -3, 2);
            return 3;
        }
        if (status == HTTP_REPLY_MORE)
            break;
        push_reply(L, parser);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        http_reply_parser_next(parser);
    }
    return 1;
}

// parser:finish() -> the answer that the end of the connection ends, or false
static int l_finish(lua_State *L)
{
    struct http_reply_parser *parser = check_parser(L);
    if (http_reply_parser_end(parser))
        push_reply(L, parser);
    else
        lua_pushboolean(L, false);
    return 1;
}

static int l_gc(lua_State *L)
{
    http_reply_parser_free(check_parser(L));
    return 0;
}

static const luaL_Reg methods[] = {
    {"feed", l_feed},
    {"finish", l_finish},
    {"__gc", l_gc},
    {NULL, NULL},
};

void internals_reply_open(lua_State *L)
{
    luaL_newmetatable(L, PARSER);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    lua_pushcfunction(L, l_reply_parser);
    lua_setfield(L, -2, "reply_parser");
}
