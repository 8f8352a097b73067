// SPDX-License-Identifier: Apache-2.0
//
// Messages made of any bytes. What wire_accept_as_is() takes, the codec turns into Lua values and
// back, and a second round gives the same bytes; what it refuses, the codec refuses with an error,
// not a crash. (A message that comes in several parts may lack required fields unnoticed; encoding
// says so then.) The first byte chooses the message type.

#include "bindings/core/scratch.h"
#include "bindings/message/message_decode.h"
#include "bindings/message/message_encode.h"
#include "bindings/offers/offer_view.h"
#include "mesos/v1/executor/executor.pb-c.h"
#include "mesos/v1/mesos.pb-c.h"
#include "mesos/v1/scheduler/scheduler.pb-c.h"
#include "wire/wire.h"
#include "wire/wire_accept.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT (1024 * 1024)

static const ProtobufCMessageDescriptor *const types[] = {
    &mesos__v1__scheduler__event__descriptor,
    &mesos__v1__scheduler__call__descriptor,
    &mesos__v1__executor__event__descriptor,
    &mesos__v1__executor__call__descriptor,
    &mesos__v1__offer__descriptor,
    &mesos__v1__task_status__descriptor,
    &mesos__v1__task_info__descriptor,
    &mesos__v1__framework_info__descriptor,
};

struct input {
    const ProtobufCMessageDescriptor *type;
    struct slice bytes;
    bool decoded;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The value on top of the stack as bytes. // [-0, +1, e]
static struct slice encode(lua_State *L, const ProtobufCMessageDescriptor *type)
{
    int value = lua_gettop(L);
    struct buffer *buffer = scratch_push(L);
    buffer->limit = LIMIT;
    message_encode(L, value, type, "value", buffer);
    return buffer_slice(buffer);
}

// Two rounds through Lua.
static int l_round(lua_State *L)
{
    struct input *input = lua_touserdata(L, 1);
    message_decode(L, input->type, input->bytes);
    input->decoded = true;
    struct slice first = encode(L, input->type);
    message_decode_plain(L, input->type, first);
    struct slice second = encode(L, input->type);
    lua_pushboolean(L, slice_equal(first, second));
    return 1;
}

static int l_open(lua_State *L)
{
    message_open(L);
    offer_view_open(L);
    return 0;
}

static lua_State *state(void)
{
    static lua_State *L;
    if (L == NULL) {
        L = luaL_newstate();
        lua_pushcfunction(L, l_open);
        if (lua_pcall(L, 0, 0, 0) != LUA_OK)
            abort();
    }
    return L;
}

// True if the outcome of l_round(), on top of the stack, is legal for a valid message.
static bool acceptable(lua_State *L, int status, const struct input *input)
{
    if (status == LUA_OK)
        return lua_toboolean(L, -1);
    return input->decoded && strstr(lua_tostring(L, -1), "required field") != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct input input = {
        .type = types[data[0] % (sizeof types / sizeof *types)],
        .bytes = {.data = data + 1, .length = size - 1},
    };
    struct error err = {.code = ERROR_NONE};
    bool valid = wire_accept_as_is(input.bytes, input.type, &err);
    if (!valid && err.text[0] == '\0')
        abort();
    lua_State *L = state();
    lua_pushcfunction(L, l_round);
    lua_pushlightuserdata(L, &input);
    int status = lua_pcall(L, 1, 1, 0);
    if (valid && !acceptable(L, status, &input))
        abort();
    lua_settop(L, 0);
    return 0;
}
