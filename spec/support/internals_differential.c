// SPDX-License-Identifier: Apache-2.0
//
// The differential test of messages seen from Lua, and the messages to test with.
//
//     internals.generate(type, seed) -> bytes          internals.mutate(type, bytes, seed) -> bytes
//     internals.differential(type, bytes, check) -> boolean: a message of that type; raises where
//     views,
//         tables and protobuf-c differ. `check` is that of support/view_oracle.lua.
//     internals.unpack(type, bytes) -> "refused" | "left" | "same": what is unpacked quickly,
//     against
//         protobuf-c; raises where they differ
//     internals.accept(type, bytes) -> bytes | nil, message: what is handed on of a received record

#include "differential.h"
#include "internals.h"
#include "mutation.h"
#include "unpack_check.h"

#include "bindings/core/scratch.h"
#include "wire/wire_accept.h"

#include <lauxlib.h>

static struct slice check_bytes(lua_State *L, int index)
{
    struct slice bytes;
    bytes.data = (const uint8_t *)luaL_checklstring(L, index, &bytes.length);
    return bytes;
}

static int l_generate(lua_State *L)
{
    const ProtobufCMessageDescriptor *type = internals_check_type(L, 1);
    uint64_t seed = (uint64_t)luaL_checkinteger(L, 2);
    struct buffer *out = scratch_push(L);
    mutation_generate(type, &seed, out);
    lua_pushlstring(L, buffer_string(out), out->length);
    return 1;
}

static int l_mutate(lua_State *L)
{
    const ProtobufCMessageDescriptor *type = internals_check_type(L, 1);
    uint64_t seed = (uint64_t)luaL_checkinteger(L, 3);
    struct buffer *out = scratch_push(L);
    mutation_mutate(check_bytes(L, 2), type, &seed, out);
    lua_pushlstring(L, buffer_string(out), out->length);
    return 1;
}

static int l_differential(lua_State *L)
{
    luaL_checktype(L, 3, LUA_TFUNCTION);
    lua_pushboolean(L, differential_check(L, 3, internals_check_type(L, 1), check_bytes(L, 2)));
    return 1;
}

static int l_unpack(lua_State *L)
{
    static const char *const names[] = {
        [UNPACK_REFUSED] = "refused", [UNPACK_LEFT] = "left", [UNPACK_SAME] = "same"};
    const ProtobufCMessageDescriptor *type = internals_check_type(L, 1);
    enum unpack_verdict verdict = unpack_check(type, check_bytes(L, 2));
    if (verdict == UNPACK_DIFFERS)
        return luaL_error(L, "protobuf-c unpacks this %s in another way", type->short_name);
    lua_pushstring(L, names[verdict]);
    return 1;
}

static int l_accept(lua_State *L)
{
    struct error err = {.code = ERROR_NONE};
    const ProtobufCMessageDescriptor *type = internals_check_type(L, 1);
    struct slice bytes = check_bytes(L, 2);
    struct bytes *block = bytes_copy(bytes.data, bytes.length);
    bool accepted = wire_accept(&block, type, &err);
    if (accepted)
        lua_pushlstring(L, (const char *)block->data, block->length);
    else
        luaL_pushfail(L);
    bytes_unref(block);
    if (accepted)
        return 1;
    lua_pushstring(L, err.text);
    return 2;
}

void internals_differential_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"generate", l_generate}, {"mutate", l_mutate}, {"differential", l_differential},
        {"accept", l_accept},     {"unpack", l_unpack}, {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
