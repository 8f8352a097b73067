// SPDX-License-Identifier: Apache-2.0
//
// What Lua objects own in C: see userdata.h. The userdata has a pointer to the struct, and its
// type, by which it is known without a look at its metatable. The list of a state belongs to a
// userdata in the registry, which is made before the first of these objects and so is finalized
// after all of them when the state closes.

#include "bindings/core/userdata.h"

#include "base/memory.h"

#include <lauxlib.h>

#include <stdlib.h>
#include <string.h>

LIST_HEAD(userdata_list, userdata);

static const char list_key; // registry

// What a script has. It cannot write these bytes, so only this file puts the mark there.
struct userdata_block {
    struct userdata *object; // NULL: released
    const char *type;
    const void *mark;
};

static const char mark;

static void end(lua_State *L, struct userdata *userdata)
{
    LIST_REMOVE(userdata, link);
    userdata->end(L, userdata);
    free(userdata);
}

// ---- the list ----

static int l_end_all(lua_State *L)
{
    struct userdata_list *list = lua_touserdata(L, 1);
    while (!LIST_EMPTY(list))
        end(L, LIST_FIRST(list));
    return 0;
}

static struct userdata_list *make_list(lua_State *L) // [-0, +0, m]
{
    struct userdata_list *list = lua_newuserdatauv(L, sizeof *list, 0);
    LIST_INIT(list);
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, l_end_all);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &list_key);
    return list;
}

static struct userdata_list *list_of(lua_State *L) // [-0, +0, m]
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &list_key);
    struct userdata_list *list = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return list ? list : make_list(L);
}

// ---- objects ----

// The upvalue is the type.
static int l_gc(lua_State *L)
{
    struct userdata_block *block = luaL_checkudata(L, 1, lua_tostring(L, lua_upvalueindex(1)));
    struct userdata *userdata = block->object;
    block->object = NULL;
    if (userdata != NULL)
        end(L, userdata);
    return 0;
}

void userdata_type(lua_State *L, const char *type)
{
    luaL_newmetatable(L, type);
    lua_pushstring(L, type);
    lua_pushcclosure(L, l_gc, 1);
    lua_setfield(L, -2, "__gc");
    lua_pushstring(L, type);
    lua_setfield(L, -2, "__metatable");
}

void *userdata_push(lua_State *L, const char *type, size_t size, int values,
                    void (*end_it)(lua_State *L, struct userdata *userdata))
{
    struct userdata_list *list = list_of(L);
    struct userdata_block *block = lua_newuserdatauv(L, sizeof *block, values);
    *block = (struct userdata_block){.type = type, .mark = &mark};
    luaL_setmetatable(L, type);
    struct userdata *userdata = memory_new(size);
    userdata->end = end_it;
    LIST_INSERT_HEAD(list, userdata, link);
    block->object = userdata;
    return userdata;
}

void *userdata_at(lua_State *L, int index)
{
    const struct userdata_block *block = lua_touserdata(L, index);
    return block->object;
}

// The block of a userdata of that type, or NULL. // [-0, +0, -]
static const struct userdata_block *block_at(lua_State *L, int index, const char *type)
{
    const struct userdata_block *block = lua_touserdata(L, index);
    if (block == NULL || lua_rawlen(L, index) != sizeof *block || block->mark != &mark)
        return NULL;
    return block->type == type || strcmp(block->type, type) == 0 ? block : NULL;
}

void *userdata_test(lua_State *L, int index, const char *type)
{
    const struct userdata_block *block = block_at(L, index, type);
    return block ? block->object : NULL;
}

void *userdata_check(lua_State *L, int index, const char *type)
{
    const struct userdata_block *block = block_at(L, index, type);
    if (block == NULL)
        luaL_typeerror(L, index, type);
    if (block->object == NULL)
        luaL_error(L, "this %s has ended", type);
    return block->object;
}
