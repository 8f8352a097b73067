// SPDX-License-Identifier: Apache-2.0
//
// The allocator of Lua heaps seen from Lua: internals.allocator(limit, placed) gives an empty
// one, or nil if there is no place for it (script_heap_place); its blocks are known by numbers.
// Each block is filled with a byte of its own, which is checked whenever it is touched again, so
// that two blocks in the same place are noticed.

#include "internals.h"

#include "script/script_heap.h"

#include <lauxlib.h>

#include <stdint.h>
#include <string.h>

#define HEAP "internals.allocator"

enum { BLOCKS = 4096 };

struct heap {
    struct script_heap allocator;
    uint8_t *blocks[BLOCKS];
    size_t sizes[BLOCKS];
};

static int l_allocator(lua_State *L)
{
    size_t limit = (size_t)luaL_optinteger(L, 1, 0);
    lua_settop(L, 2);
    struct heap *heap = lua_newuserdatauv(L, sizeof *heap, 0);
    *heap = (struct heap){.blocks = {NULL}};
    script_heap_init(&heap->allocator, limit);
    luaL_setmetatable(L, HEAP);
    if (lua_toboolean(L, 2) && !script_heap_place(&heap->allocator))
        lua_pushnil(L);
    return 1;
}

static bool intact(const struct heap *heap, size_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (heap->blocks[number][i] != (uint8_t)number)
            return false;
    return true;
}

// heap:resize(number, size) -> did that work? 0 frees.
static int l_resize(lua_State *L)
{
    struct heap *heap = luaL_checkudata(L, 1, HEAP);
    size_t number = (size_t)luaL_checkinteger(L, 2), size = (size_t)luaL_checkinteger(L, 3);
    luaL_argcheck(L, number < BLOCKS, 2, "no such block");
    size_t old = heap->sizes[number];
    if (heap->blocks[number] != NULL && !intact(heap, number, old))
        luaL_error(L, "block %d holds bytes of another block", (int)number);
    // A new block comes with the kind of the object in place of a size.
    void *block = script_heap_allocate(&heap->allocator, heap->blocks[number],
                                       heap->blocks[number] ? old : LUA_TTABLE, size);
    lua_pushboolean(L, block != NULL || size == 0);
    if (block == NULL && size > 0)
        return 1;
    heap->blocks[number] = block;
    heap->sizes[number] = size;
    if (block != NULL && !intact(heap, number, old < size ? old : size))
        luaL_error(L, "block %d lost its contents", (int)number);
    if (block != NULL)
        memset(block, (uint8_t)number, size);
    return 1;
}

static int l_used(lua_State *L)
{
    struct heap *heap = luaL_checkudata(L, 1, HEAP);
    lua_pushinteger(L, (lua_Integer)heap->allocator.used);
    return 1;
}

// heap:address(number): the lower 32 bits.
static int l_address(lua_State *L)
{
    struct heap *heap = luaL_checkudata(L, 1, HEAP);
    size_t number = (size_t)luaL_checkinteger(L, 2);
    luaL_argcheck(L, number < BLOCKS, 2, "no such block");
    lua_pushinteger(L, (lua_Integer)(uint32_t)(uintptr_t)heap->blocks[number]);
    return 1;
}

static int l_held(lua_State *L)
{
    struct heap *heap = luaL_checkudata(L, 1, HEAP);
    lua_pushinteger(L, (lua_Integer)script_heap_held(&heap->allocator));
    return 1;
}

static int l_trim(lua_State *L)
{
    struct heap *heap = luaL_checkudata(L, 1, HEAP);
    lua_pushboolean(L, script_heap_trim(&heap->allocator, (size_t)luaL_checkinteger(L, 2)));
    return 1;
}

static int l_gc(lua_State *L)
{
    struct heap *heap = luaL_checkudata(L, 1, HEAP);
    for (size_t i = 0; i < BLOCKS; i++)
        script_heap_allocate(&heap->allocator, heap->blocks[i], heap->sizes[i], 0);
    script_heap_free(&heap->allocator);
    return 0;
}

void internals_allocator_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"resize", l_resize},   {"used", l_used}, {"held", l_held}, {"trim", l_trim},
        {"address", l_address}, {"__gc", l_gc},   {NULL, NULL}};
    luaL_newmetatable(L, HEAP);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    lua_pushcfunction(L, l_allocator);
    lua_setfield(L, -2, "allocator");
}
