// SPDX-License-Identifier: Apache-2.0
//
// Rows in the order of time: see row_order.h.

#include "bindings/sim/row_order.h"

#include "base/memory.h"
#include "bindings/core/userdata.h"

#include <lauxlib.h>

#include <stdint.h>
#include <stdlib.h>

#define ORDER "sim.order"

struct ordered_row {
    double at;
    uint64_t offset;
    double number;
    uint32_t line, integer;
};

struct row_order {
    struct userdata base;
    struct ordered_row *rows;
    size_t count, capacity, next;
};

static void end(lua_State *L, struct userdata *userdata)
{
    (void)L;
    free(((struct row_order *)userdata)->rows);
}

int row_order_create(lua_State *L)
{
    userdata_push(L, ORDER, sizeof(struct row_order), 0, end);
    return 1;
}

static void make_room(lua_State *L, struct row_order *order) // [-0, +0, v]
{
    if (order->count < order->capacity)
        return;
    if (order->count == ROW_ORDER_MOST)
        luaL_error(L, "more than %d rows cannot be put in order: give `limit`, or sort the file",
                   (int)ROW_ORDER_MOST);
    order->capacity = order->capacity > 0 ? 2 * order->capacity : 1024;
    order->rows = memory_resize(order->rows, order->capacity * sizeof *order->rows);
}

// (order, at, offset, line[, number[, integer]]) // [-n, +0, v]
static int l_add(lua_State *L)
{
    struct row_order *order = userdata_check(L, 1, ORDER);
    const struct ordered_row row = {.at = luaL_checknumber(L, 2),
                                    .offset = (uint64_t)luaL_checkinteger(L, 3),
                                    .line = (uint32_t)luaL_checkinteger(L, 4),
                                    .number = luaL_optnumber(L, 5, 0),
                                    .integer = (uint32_t)luaL_optinteger(L, 6, 0)};
    luaL_argcheck(L, row.at == row.at, 2, "a time expected, got NaN"); // qsort() needs an order
    make_room(L, order);
    order->rows[order->count++] = row;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct ordered_row *first = a, *second = b;
    if (first->at != second->at)
        return first->at < second->at ? -1 : 1;
    return (first->offset > second->offset) - (first->offset < second->offset);
}

static int l_sort(lua_State *L) // [-n, +0, v]
{
    struct row_order *order = userdata_check(L, 1, ORDER);
    if (order->count > 0)
        qsort(order->rows, order->count, sizeof *order->rows, compare);
    order->next = 0;
    return 0;
}

static int l_next(lua_State *L) // [-n, +5|1, v]
{
    struct row_order *order = userdata_check(L, 1, ORDER);
    if (order->next == order->count) {
        lua_pushnil(L);
        return 1;
    }
    const struct ordered_row *row = &order->rows[order->next++];
    lua_pushinteger(L, (lua_Integer)row->offset);
    lua_pushinteger(L, row->line);
    lua_pushnumber(L, row->number);
    lua_pushinteger(L, row->integer);
    lua_pushnumber(L, row->at);
    return 5;
}

static int l_least(lua_State *L) // [-n, +1, v]
{
    struct row_order *order = userdata_check(L, 1, ORDER);
    if (order->count == 0)
        lua_pushnil(L);
    else
        lua_pushnumber(L, order->rows[0].at);
    return 1;
}

void row_order_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"add", l_add}, {"sort", l_sort}, {"next", l_next}, {"least", l_least}, {NULL, NULL}};
    userdata_type(L, ORDER);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
