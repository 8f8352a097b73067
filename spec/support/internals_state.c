// SPDX-License-Identifier: Apache-2.0
//
// Access to plain data as bytes, and to the document in which it is stored.
//
//     internals.state_save(value[, limit]) -> bytes | nil, message
//     internals.state_load(bytes) -> true, value | nil, message
//     internals.state_load_starved(bytes) -> how many allocations it takes; each in turn has failed
//     before internals.kept_write(framework_id or nil, state) -> document | nil, message
//     internals.kept_read(document) -> true, framework_id, state | nil, message

#include "internals.h"

#include "app/state_file.h"
#include "script/serialize.h"

#include <lauxlib.h>
#include <stdlib.h>

enum { LIMIT = 64 << 20 };

static int push_failure(lua_State *L, const struct error *err)
{
    luaL_pushfail(L);
    lua_pushstring(L, err->text);
    return 2;
}

// (Lua at the end of its memory would leak the buffer: a test run that gets there is over.)
static int l_state_save(lua_State *L)
{
    struct buffer out;
    struct error err = {.code = ERROR_NONE};
    luaL_checkany(L, 1);
    buffer_init(&out, (size_t)luaL_optinteger(L, 2, LIMIT));
    bool fine = serialize_save(L, 1, "value", &out, &err);
    if (fine)
        lua_pushlstring(L, buffer_string(&out), out.length);
    buffer_free(&out);
    return fine ? 1 : push_failure(L, &err);
}

static int l_state_load(lua_State *L)
{
    struct error err = {.code = ERROR_NONE};
    struct slice bytes;
    bytes.data = (const uint8_t *)luaL_checklstring(L, 1, &bytes.length);
    lua_pushboolean(L, true);
    return serialize_load(L, bytes, &err) ? 2 : push_failure(L, &err);
}

// ---- running out of memory ----

struct starved {
    size_t used, left; // bytes in use; allocations until all fail
};

static void *starve(void *data, void *block, size_t old, size_t size)
{
    struct starved *starved = data;
    old = block ? old : 0;
    if (size > old && starved->left == 0)
        return NULL;
    starved->left -= size > old;
    starved->used += size - old;
    if (size > 0)
        return realloc(block, size);
    free(block);
    return NULL;
}

static int l_load(lua_State *L)
{
    struct error err = {.code = ERROR_NONE};
    const struct slice *bytes = lua_touserdata(L, 1);
    if (!serialize_load(L, *bytes, &err))
        return luaL_error(L, "%s", err.text);
    return 0;
}

// Loads with an allocator that fails from some allocation on. Returns the status of the call, or
// -1 if something was left behind.
static int load_starved(struct slice *bytes, size_t allocations)
{
    struct starved starved = {.left = SIZE_MAX};
    lua_State *L = lua_newstate(starve, &starved);
    lua_checkstack(L, 10);
    lua_pushcfunction(L, l_load);
    lua_pushlightuserdata(L, bytes);
    starved.left = allocations;
    int status = lua_pcall(L, 1, 0, 0);
    starved.left = SIZE_MAX;
    lua_close(L);
    return starved.used == 0 ? status : -1;
}

static int l_state_load_starved(lua_State *L)
{
    struct slice bytes;
    bytes.data = (const uint8_t *)luaL_checklstring(L, 1, &bytes.length);
    int status = LUA_ERRMEM;
    lua_Integer failures = 0;
    while (status == LUA_ERRMEM)
        status = load_starved(&bytes, (size_t)failures++);
    if (status != LUA_OK)
        return luaL_error(L, "status %d", status);
    lua_pushinteger(L, failures - 1);
    return 1;
}

// ---- the document ----

static struct slice check_bytes(lua_State *L, int index)
{
    struct slice bytes;
    bytes.data = (const uint8_t *)luaL_optlstring(L, index, "", &bytes.length);
    return bytes;
}

static int l_kept_write(lua_State *L)
{
    struct buffer out;
    struct error err = {.code = ERROR_NONE};
    const struct state_file kept = {.framework_id = check_bytes(L, 1), .state = check_bytes(L, 2)};
    buffer_init(&out, LIMIT);
    bool fine = state_file_write(&kept, 1700000000, &out, &err);
    if (fine)
        lua_pushlstring(L, buffer_string(&out), out.length);
    buffer_free(&out);
    return fine ? 1 : push_failure(L, &err);
}

static int l_kept_read(lua_State *L)
{
    struct state_file kept;
    struct error err = {.code = ERROR_NONE};
    if (!state_file_read(check_bytes(L, 1), &kept, &err))
        return push_failure(L, &err);
    lua_pushboolean(L, true);
    lua_pushlstring(L, (const char *)kept.framework_id.data, kept.framework_id.length);
    lua_pushlstring(L, (const char *)kept.state.data, kept.state.length);
    return 3;
}

void internals_state_open(lua_State *L)
{
    lua_pushcfunction(L, l_kept_write);
    lua_setfield(L, -2, "state_file_write");
    lua_pushcfunction(L, l_kept_read);
    lua_setfield(L, -2, "state_file_read");
    lua_pushcfunction(L, l_state_save);
    lua_setfield(L, -2, "serialize_save");
    lua_pushcfunction(L, l_state_load);
    lua_setfield(L, -2, "serialize_load");
    lua_pushcfunction(L, l_state_load_starved);
    lua_setfield(L, -2, "state_load_starved");
}
