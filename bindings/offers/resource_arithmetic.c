// SPDX-License-Identifier: Apache-2.0
//
// Resources for the Lua library: see resource_arithmetic.h. The lists that a function works on
// belong to a userdata of its call, so an error in Lua leaks none of them.

#include "bindings/offers/resource_arithmetic.h"

#include "bindings/core/scratch.h"
#include "bindings/core/userdata.h"
#include "bindings/message/message_encode.h"
#include "bindings/offers/resource_list.h"
#include "offers/resources.h"

#include <lauxlib.h>

#include <stdlib.h>

#define OPERANDS_TYPE "mesos.resource_operands"

struct operands {
    struct userdata base;
    struct resources a, b;
    char *text;
};

static void end_operands(lua_State *L, struct userdata *userdata)
{
    struct operands *operands = (struct operands *)userdata;
    (void)L;
    resources_free(&operands->a);
    resources_free(&operands->b);
    free(operands->text);
    operands->text = NULL;
}

// Adds the resource at the top to the list. // [-0, +0, e]
static void add_resource(lua_State *L, const char *path, struct resources *list)
{
    const ProtobufCMessageDescriptor *type = &mesos__v1__resource__descriptor;
    struct error err = {0};
    struct buffer *wire = scratch_push(L);
    message_encode_texts(L, lua_absindex(L, -2), type, path, wire);
    Mesos__V1__Resource *resource = (Mesos__V1__Resource *)protobuf_c_message_unpack(
        type, NULL, wire->length, (const uint8_t *)buffer_string(wire));
    bool good = resource != NULL && resource_check(resource, &err);
    if (good)
        resources_add_message(list, resource);
    if (resource != NULL)
        protobuf_c_message_free_unpacked(&resource->base, NULL);
    buffer_free(wire);
    lua_pop(L, 1);
    if (!good)
        luaL_error(L, "%s: %s", path, err.text);
}

// Reads the list at `index`. // [-0, +0, e]
static void read_list(lua_State *L, int index, const char *name, struct resources *list)
{
    luaL_checktype(L, index, LUA_TTABLE);
    for (lua_Integer i = 1; lua_geti(L, index, i) != LUA_TNIL; i++) {
        const char *path = lua_pushfstring(L, "%s[%I]", name, (LUAI_UACINT)i);
        lua_insert(L, -2);
        add_resource(L, path, list);
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

// The lists at 1 and, with `two`, at 2; the userdata is on top. // [-0, +1, e]
static struct operands *push_operands(lua_State *L, bool two)
{
    struct operands *operands = userdata_push(L, OPERANDS_TYPE, sizeof *operands, 0, end_operands);
    read_list(L, 1, "a", &operands->a);
    if (two)
        read_list(L, 2, "b", &operands->b);
    return operands;
}

static int push_result(lua_State *L, struct operands *operands) // [-0, +1, e]
{
    struct buffer *wire = scratch_push(L);
    resource_list_pack(&operands->a, wire);
    resource_list_push(L, buffer_slice(wire));
    buffer_free(wire);
    end_operands(L, &operands->base);
    return 1;
}

static int l_add(lua_State *L) // [-2, +1, e]
{
    struct operands *operands = push_operands(L, true);
    resources_add(&operands->a, &operands->b);
    return push_result(L, operands);
}

static int l_subtract(lua_State *L) // [-2, +1, e]
{
    struct operands *operands = push_operands(L, true);
    resources_subtract(&operands->a, &operands->b);
    return push_result(L, operands);
}

static int l_contains(lua_State *L) // [-2, +1, e]
{
    struct operands *operands = push_operands(L, true);
    lua_pushboolean(L, resources_contain(&operands->a, &operands->b));
    end_operands(L, &operands->base);
    return 1;
}

static int l_quantity(lua_State *L) // [-2, +1, e]
{
    const char *name = luaL_checkstring(L, 2);
    struct operands *operands = push_operands(L, false);
    lua_pushnumber(L, resources_quantity(&operands->a, name));
    end_operands(L, &operands->base);
    return 1;
}

static int l_format(lua_State *L) // [-1, +1, e]
{
    struct operands *operands = push_operands(L, false);
    operands->text = resources_text(&operands->a);
    lua_pushstring(L, operands->text);
    end_operands(L, &operands->base);
    return 1;
}

static int l_internal(lua_State *L) // [-n, +1, e]
{
    static const luaL_Reg functions[] = {{"add", l_add},           {"subtract", l_subtract},
                                         {"contains", l_contains}, {"quantity", l_quantity},
                                         {"format", l_format},     {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}

void resource_arithmetic_open(lua_State *L)
{
    userdata_type(L, OPERANDS_TYPE);
    lua_pop(L, 1);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, l_internal);
    lua_setfield(L, -2, "mesos.internal.resources");
    lua_pop(L, 1);
}
