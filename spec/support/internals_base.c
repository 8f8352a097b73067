// SPDX-License-Identifier: Apache-2.0
//
// host/base seen from Lua: error texts, log levels and the log's lines, buffers with their cap,
// arenas.

#include "internals.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/log.h"

#include <lauxlib.h>
#include <string.h>

#define BUFFER "internals.buffer"

// internals.error(text[, context...]) -> what is kept of it, with each context in front of the
// last.
static int l_error(lua_State *L)
{
    struct error err = {.code = ERROR_NONE};
    error_set(&err, ERROR_INVALID, "%s", luaL_checkstring(L, 1));
    for (int i = 2; i <= lua_gettop(L); i++)
        error_context(&err, "%s", luaL_checkstring(L, i));
    lua_pushstring(L, err.text);
    lua_pushinteger(L, err.code);
    return 2;
}

// Lists in the frame of l_log_lines().
enum { LOG_TEXTS = 3, LOG_LEVELS = 4 };

static void on_line(void *data, enum log_level level, const char *text)
{
    lua_State *L = data;
    lua_pushstring(L, log_level_name(level));
    lua_pushstring(L, text);
    lua_rawseti(L, LOG_TEXTS, (lua_Integer)lua_rawlen(L, LOG_TEXTS) + 1);
    lua_rawseti(L, LOG_LEVELS, (lua_Integer)lua_rawlen(L, LOG_LEVELS) + 1);
}

// internals.log_lines(shown_level, { { level, text }... }) -> texts, levels of the lines that got
// through.
static int l_log_lines(lua_State *L)
{
    enum log_level shown, before = log_get_level();
    luaL_argcheck(L, log_level_find(luaL_checkstring(L, 1), &shown), 1, "not a level");
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    lua_newtable(L);
    lua_newtable(L);
    log_set_level(shown);
    log_set_sink(on_line, L);
    for (lua_Integer i = 1; lua_rawgeti(L, 2, i) == LUA_TTABLE; i++) {
        enum log_level level = LOG_DEBUG;
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        if (log_level_find(lua_tostring(L, -2), &level))
            log_write(level, "%s", lua_tostring(L, -1));
        lua_pop(L, 3);
    }
    lua_pop(L, 1);
    log_set_sink(NULL, NULL);
    log_set_level(before);
    return 2;
}

// internals.log_level(name) -> the canonical name, or nil.
static int l_log_level(lua_State *L)
{
    enum log_level level;
    if (!log_level_find(luaL_checkstring(L, 1), &level))
        return 0;
    lua_pushstring(L, log_level_name(level));
    return 1;
}

static struct buffer *check_buffer(lua_State *L)
{
    return luaL_checkudata(L, 1, BUFFER);
}

// internals.buffer(limit) -> buffer
static int l_buffer(lua_State *L)
{
    size_t limit = (size_t)luaL_checkinteger(L, 1);
    struct buffer *buffer = lua_newuserdatauv(L, sizeof *buffer, 0);
    buffer_init(buffer, limit);
    luaL_setmetatable(L, BUFFER);
    return 1;
}

static int l_append(lua_State *L)
{
    struct buffer *buffer = check_buffer(L);
    size_t length;
    const char *data = luaL_checklstring(L, 2, &length);
    lua_pushboolean(L, buffer_append(buffer, data, length));
    return 1;
}

static int l_format(lua_State *L)
{
    struct buffer *buffer = check_buffer(L);
    lua_pushboolean(
        L, buffer_format(buffer, "%s:%d", luaL_checkstring(L, 2), (int)luaL_checkinteger(L, 3)));
    return 1;
}

static int l_consume(lua_State *L)
{
    buffer_consume(check_buffer(L), (size_t)luaL_checkinteger(L, 2));
    return 0;
}

static int l_contents(lua_State *L)
{
    struct buffer *buffer = check_buffer(L);
    lua_pushlstring(L, buffer_string(buffer), buffer->length);
    return 1;
}

static int l_free(lua_State *L)
{
    buffer_free(check_buffer(L));
    return 0;
}

// ---- arenas ----

enum { ARENA_BLOCKS = 1000 };

struct arena_block {
    uint8_t *at;
    size_t size;
};

static bool has_only(const struct arena_block *block, uint8_t value)
{
    for (size_t i = 0; i < block->size; i++)
        if (block->at[i] != value)
            return false;
    return (uintptr_t)block->at % ARENA_ALIGNMENT == 0;
}

// True if each block keeps what is written to it.
static bool fill_arena(struct arena *arena, struct arena_block *blocks, size_t count)
{
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        blocks[i].at = arena_take(arena, blocks[i].size);
        memset(blocks[i].at, (int)(i % 251), blocks[i].size);
    }
    for (size_t i = 0; i < count; i++)
        good = good && has_only(&blocks[i], (uint8_t)(i % 251));
    return good;
}

// internals.arena(sizes, rounds) -> boolean: blocks of these sizes, up to 1000, are taken from one
// arena, which is emptied after each round, and have all that is written to them.
static int l_arena(lua_State *L)
{
    struct arena_block blocks[ARENA_BLOCKS];
    struct arena arena = {.chunks = NULL};
    lua_Integer rounds = luaL_checkinteger(L, 2);
    size_t count = lua_rawlen(L, 1);
    bool good = true;
    luaL_argcheck(L, count <= ARENA_BLOCKS, 1, "too many");
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        blocks[i].size = (size_t)lua_tointeger(L, -1);
        lua_pop(L, 1);
    }
    for (lua_Integer round = 0; round < rounds; round++) {
        good = fill_arena(&arena, blocks, count) && good;
        arena_empty(&arena);
    }
    arena_free(&arena);
    lua_pushboolean(L, good);
    return 1;
}

static const luaL_Reg buffer_methods[] = {
    {"append", l_append}, {"format", l_format},       {"consume", l_consume}, {"free", l_free},
    {"__gc", l_free},     {"__tostring", l_contents}, {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"error", l_error},   {"log_lines", l_log_lines}, {"log_level", l_log_level},
    {"buffer", l_buffer}, {"arena", l_arena},         {NULL, NULL},
};

void internals_base_open(lua_State *L)
{
    luaL_newmetatable(L, BUFFER);
    luaL_setfuncs(L, buffer_methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_setfuncs(L, functions, 0);
}
