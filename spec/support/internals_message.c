// SPDX-License-Identifier: Apache-2.0
//
// Access to the codec: messages by the name of their type, as strings of wire bytes.
//
//     internals.validate(type, bytes) -> true | nil, message
//     internals.decode(type, bytes) -> value            internals.decode_plain(type, bytes) ->
//     value internals.encode(type, value[, path]) -> bytes    internals.view(type, bytes) -> view
//     internals.suggest(word, names) -> name | nil

#include "internals.h"

#include "base/suggest.h"
#include "bindings/core/scratch.h"
#include "bindings/message/message_decode.h"
#include "bindings/message/message_encode.h"
#include "bindings/message/view.h"
#include "bindings/offers/offer_view.h"
#include "mesos/v1/executor/executor.pb-c.h"
#include "mesos/v1/master/master.pb-c.h"
#include "mesos/v1/scheduler/scheduler.pb-c.h"
#include "wire/wire.h"
#include "wire/wire_accept.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_LIMIT 512

// Every message type that can be reached from the events and calls, each after one that uses it.
static const ProtobufCMessageDescriptor *types[TYPE_LIMIT];
static size_t type_count;

static void add_type(const ProtobufCMessageDescriptor *type)
{
    for (size_t i = 0; i < type_count; i++) {
        if (types[i] == type)
            return;
    }
    if (type_count == TYPE_LIMIT)
        abort();
    types[type_count++] = type;
}

static void collect_types(void)
{
    add_type(&mesos__v1__scheduler__event__descriptor);
    add_type(&mesos__v1__scheduler__call__descriptor);
    add_type(&mesos__v1__executor__event__descriptor);
    add_type(&mesos__v1__executor__call__descriptor);
    add_type(&mesos__v1__master__call__descriptor);
    add_type(&mesos__v1__master__response__descriptor);
    for (size_t i = 0; i < type_count; i++) {
        for (unsigned f = 0; f < types[i]->n_fields; f++) {
            if (types[i]->fields[f].type == PROTOBUF_C_TYPE_MESSAGE)
                add_type(types[i]->fields[f].descriptor);
        }
    }
}

const ProtobufCMessageDescriptor *internals_check_type(lua_State *L, int index)
{
    const char *name = luaL_checkstring(L, index);
    for (size_t i = 0; i < type_count; i++) {
        if (strcmp(types[i]->name, name) == 0)
            return types[i];
    }
    luaL_error(L, "no message type '%s'", name);
    return NULL;
}

static struct slice check_bytes(lua_State *L, int index)
{
    struct slice bytes;
    bytes.data = (const uint8_t *)luaL_checklstring(L, index, &bytes.length);
    return bytes;
}

static int l_validate(lua_State *L)
{
    struct error err;
    if (wire_accept_as_is(check_bytes(L, 2), internals_check_type(L, 1), &err)) {
        lua_pushboolean(L, true);
        return 1;
    }
    luaL_pushfail(L);
    lua_pushstring(L, err.text);
    return 2;
}

// As the driver has them: accepted, if they are fit for that. The bytes at 2 are replaced.
static struct slice accept_bytes(lua_State *L, const ProtobufCMessageDescriptor *type)
{
    struct error err;
    struct slice copied = check_bytes(L, 2);
    struct bytes *block = bytes_copy(copied.data, copied.length);
    wire_accept(&block, type, &err);
    lua_pushlstring(L, (const char *)block->data, block->length);
    lua_replace(L, 2);
    bytes_unref(block);
    return check_bytes(L, 2);
}

static int l_decode(lua_State *L)
{
    const ProtobufCMessageDescriptor *type = internals_check_type(L, 1);
    message_decode(L, type, accept_bytes(L, type));
    return 1;
}

static int l_decode_plain(lua_State *L)
{
    const ProtobufCMessageDescriptor *type = internals_check_type(L, 1);
    message_decode_plain(L, type, accept_bytes(L, type));
    return 1;
}

static int l_encode(lua_State *L)
{
    const ProtobufCMessageDescriptor *type = internals_check_type(L, 1);
    luaL_checkany(L, 2);
    const char *path = luaL_optstring(L, 3, "");
    struct buffer *buffer = scratch_push(L);
    message_encode(L, 2, type, path, buffer);
    lua_pushlstring(L, buffer_string(buffer), buffer->length);
    return 1;
}

static int l_view(lua_State *L)
{
    const ProtobufCMessageDescriptor *type = internals_check_type(L, 1);
    struct slice accepted = accept_bytes(L, type);
    struct bytes *block = bytes_copy(accepted.data, accepted.length);
    view_push(L, type, block, slice_of(block));
    bytes_unref(block);
    return 1;
}

static const char *listed_name(const void *data, size_t index)
{
    lua_State *L = (lua_State *)(uintptr_t)data;
    lua_rawgeti(L, 2, (lua_Integer)index + 1);
    const char *name = lua_tostring(L, -1);
    lua_pop(L, 1);
    return name;
}

static int l_suggest(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_pushstring(L, suggest(luaL_checkstring(L, 1), listed_name, L));
    return 1;
}

void internals_message_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"validate", l_validate},
        {"decode", l_decode},
        {"decode_plain", l_decode_plain},
        {"encode", l_encode},
        {"view", l_view},
        {"suggest", l_suggest},
        {NULL, NULL},
    };
    collect_types();
    message_open(L);
    offer_view_open(L);
    luaL_setfuncs(L, functions, 0);
}
