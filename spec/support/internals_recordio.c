// SPDX-License-Identifier: Apache-2.0
//
// The RecordIO decoder seen from Lua.

#include "internals.h"

#include "net/recordio.h"

#include <lauxlib.h>
#include <string.h>

#define DECODER "internals.recordio"

// internals.recordio([limit]) -> decoder
static int l_recordio(lua_State *L)
{
    size_t limit = (size_t)luaL_optinteger(L, 1, 0);
    struct recordio *recordio = lua_newuserdatauv(L, sizeof *recordio, 0);
    recordio_init(recordio, limit);
    luaL_setmetatable(L, DECODER);
    return 1;
}

static struct recordio *check_decoder(lua_State *L)
{
    return luaL_checkudata(L, 1, DECODER);
}

// Moves the record into a Lua string. (Lua at the end of its memory would leak it: a test run that
// gets there is over.) // [-0, +1, m]
static void push_record(lua_State *L, struct bytes *record)
{
    luaL_Buffer text;
    size_t length = record->length;
    memcpy(luaL_buffinitsize(L, &text, length), record->data, length);
    bytes_unref(record);
    luaL_pushresultsize(&text, length);
}

// decoder:feed(bytes) -> list of records, or nil, message, and the list of records before
static int l_feed(lua_State *L)
{
    struct recordio *recordio = check_decoder(L);
    size_t length;
    const uint8_t *input = (const uint8_t *)luaL_checklstring(L, 2, &length);
    struct error err = {.code = ERROR_NONE};
    lua_newtable(L);
    int records = lua_gettop(L);
    for (lua_Integer i = 1;; i++) {
        struct bytes *record;
        enum recordio_status status = recordio_decode(recordio, &input, &length, &record, &err);
        if (status == RECORDIO_BAD) {
            lua_pushnil(L);
            lua_pushstring(L, err.text);
            lua_pushvalue(L, records);
            return 3;
        }
        if (status == RECORDIO_MORE)
            break;
        push_record(L, record);
        lua_rawseti(L, records, i);
    }
    return 1;
}

// decoder:whole() -> may the stream end here?
static int l_whole(lua_State *L)
{
    lua_pushboolean(L, recordio_whole(check_decoder(L)));
    return 1;
}

static int l_gc(lua_State *L)
{
    recordio_free(check_decoder(L));
    return 0;
}

static const luaL_Reg methods[] = {
    {"feed", l_feed},
    {"whole", l_whole},
    {"__gc", l_gc},
    {NULL, NULL},
};

void internals_recordio_open(lua_State *L)
{
    luaL_newmetatable(L, DECODER);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    lua_pushcfunction(L, l_recordio);
    lua_setfield(L, -2, "recordio");
    lua_pushinteger(L, (lua_Integer)RECORDIO_LIMIT);
    lua_setfield(L, -2, "RECORDIO_LIMIT");
}
