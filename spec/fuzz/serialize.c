// SPDX-License-Identifier: Apache-2.0
//
// Stored data made of any bytes. What serialize_load() takes, serialize_save() turns into bytes
// that give the same again; what it refuses it refuses with words, and leaves nothing on the stack.

#include "script/serialize.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT (4u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    struct slice bytes;
    struct buffer first, second; // here, so that an error of Lua leaks neither
};

static void save(lua_State *L, struct buffer *out)
{
    struct error err = {.code = ERROR_NONE};
    if (!serialize_save(L, -1, "value", out, &err))
        abort();
}

static int l_round(lua_State *L)
{
    struct input *input = lua_touserdata(L, 1);
    struct error err = {.code = ERROR_NONE};
    if (!serialize_load(L, input->bytes, &err)) {
        if (err.text[0] == '\0' || lua_gettop(L) != 1)
            abort();
        return 0;
    }
    save(L, &input->first);
    if (lua_gettop(L) != 2 || !serialize_load(L, buffer_slice(&input->first), &err))
        abort();
    save(L, &input->second);
    if (input->first.length != input->second.length)
        abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static lua_State *L;
    struct input input = {.bytes = {.data = data, .length = size}};
    if (L == NULL)
        L = luaL_newstate();
    buffer_init(&input.first, LIMIT);
    buffer_init(&input.second, LIMIT);
    lua_pushcfunction(L, l_round);
    lua_pushlightuserdata(L, &input);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
        abort();
    buffer_free(&input.first);
    buffer_free(&input.second);
    return 0;
}
