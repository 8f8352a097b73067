// SPDX-License-Identifier: Apache-2.0
//
// Offers, inverse offers and statuses, alone and in events, made of any bytes: view, table and
// protobuf-c have to agree on whether that is a message and on what is in it, the short cuts of
// offers included. The first byte chooses the message type. Most mutations are of fields.

#include "support/differential.h"
#include "support/mutation.h"

#include "bindings/message/message_encode.h"
#include "bindings/offers/offer_view.h"
#include "mesos/v1/mesos.pb-c.h"
#include "mesos/v1/scheduler/scheduler.pb-c.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

static const ProtobufCMessageDescriptor *const types[] = {
    &mesos__v1__offer__descriptor,
    &mesos__v1__task_status__descriptor,
    &mesos__v1__scheduler__event__descriptor,
    &mesos__v1__inverse_offer__descriptor,
};

struct input {
    const ProtobufCMessageDescriptor *type;
    struct slice message;
};

enum { TURNS_BETWEEN_COLLECTIONS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

static struct input read_input(const uint8_t *data, size_t size)
{
    return (struct input){types[data[0] % (sizeof types / sizeof *types)], {data + 1, size - 1}};
}

// Upvalue 1 is the oracle.
static int l_check(lua_State *L)
{
    const struct input *input = lua_touserdata(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    differential_check(L, 2, input->type, input->message);
    return 0;
}

static int l_open(lua_State *L)
{
    luaL_openlibs(L);
    message_open(L);
    offer_view_open(L);
    if (luaL_dofile(L, SPEC_SUPPORT "/view_oracle.lua"))
        return lua_error(L);
    lua_getfield(L, -1, "check");
    lua_pushcclosure(L, l_check, 1);
    return 1;
}

static void call(lua_State *L, int arguments, int results)
{
    if (lua_pcall(L, arguments, results, 0) == LUA_OK)
        return;
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    abort();
}

// A state with the function at the top of its stack.
static lua_State *state(void)
{
    static lua_State *L;
    if (L == NULL) {
        L = luaL_newstate();
        lua_pushcfunction(L, l_open);
        call(L, 0, 1);
    }
    return L;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned turns;
    if (size == 0)
        return 0;
    struct input input = read_input(data, size);
    lua_State *L = state();
    lua_pushvalue(L, -1);
    lua_pushlightuserdata(L, &input);
    call(L, 1, 0);
    if (++turns % TURNS_BETWEEN_COLLECTIONS == 0)
        lua_gc(L, LUA_GCCOLLECT);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    if (size == 0 || seed % 8 == 0)
        return LLVMFuzzerMutate(data, size, most);
    return mutation_mutate_input(read_input(data, size).type, data, size, most, seed);
}
