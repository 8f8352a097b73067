// SPDX-License-Identifier: Apache-2.0
//
// mesos.resources: see resource_list.h. A table is turned into resources value by value; text goes
// through the parser that the embedded cluster uses as well.

#include "bindings/offers/resource_list.h"

#include "bindings/core/dot_call.h"
#include "bindings/core/scratch.h"
#include "bindings/message/message_decode.h"
#include "offers/resource_names.h"
#include "offers/resources.h"
#include "wire/wire.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Upvalues of the function.
enum { UPVALUE_NAME = 1, UPVALUE_TYPE, UPVALUE_SCALAR, UPVALUE_SCALAR_TYPE, UPVALUES = 4 };

// The value on top becomes the field `field` of a new resource named `name`. // [-1, +1, e]
static void push_resource(lua_State *L, const char *name, const char *type, const char *field)
{
    lua_createtable(L, 0, 3);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, type);
    lua_setfield(L, -2, "type");
    lua_insert(L, -2);
    lua_setfield(L, -2, field);
}

// The same for a number, the value at the top, of the resource named by the value at `name`. These
// are most of all, so the texts are upvalues. // [-1, +1, e]
static void push_scalar(lua_State *L, int name)
{
    lua_createtable(L, 0, 3);
    lua_pushvalue(L, lua_upvalueindex(UPVALUE_NAME));
    lua_pushvalue(L, name);
    lua_rawset(L, -3);
    lua_pushvalue(L, lua_upvalueindex(UPVALUE_TYPE));
    lua_pushvalue(L, lua_upvalueindex(UPVALUE_SCALAR_TYPE));
    lua_rawset(L, -3);
    lua_pushvalue(L, lua_upvalueindex(UPVALUE_SCALAR));
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    lua_replace(L, -2);
}

static bool is_size(const char *name)
{
    return strcmp(name, "mem") == 0 || strcmp(name, "disk") == 0;
}

// A text that begins with a number, such as "0.5" or "64M". // [-0, +0, v]
static int refuse_number(lua_State *L, const char *name, const char *text, double number,
                         const char *unit)
{
    bool gigabytes = is_size(name) && (*unit == 'G' || *unit == 'g');
    lua_pushnumber(L, gigabytes ? number * 1024 : number);
    if (lua_tonumber(L, -1) == floor(lua_tonumber(L, -1)))
        lua_pushfstring(L, "%I", (LUAI_UACINT)lua_tonumber(L, -1));
    return luaL_error(L, "resources.%s: a number%s expected, got the string '%s': write %s = %s",
                      name, is_size(name) ? " of megabytes" : "", text, name, lua_tostring(L, -1));
}

static int refuse(lua_State *L, const char *name) // [-0, +0, v]
{
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    char *unit = NULL;
    double number = text ? strtod(text, &unit) : 0;
    if (unit != text && fabs(number) < 1e15)
        return refuse_number(L, name, text, number, unit);
    return luaL_error(L,
                      "resources.%s: a number, a list of {first, last}, or a list of strings "
                      "expected, got %s%s%s",
                      name, text ? "the string '" : luaL_typename(L, -1), text ? text : "",
                      text ? "'" : "");
}

// The bound of the range at the top, which is { first, last } or has names. // [-0, +1, -]
static bool push_bound(lua_State *L, int place, const char *name)
{
    if (lua_rawgeti(L, -1, place) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushstring(L, name);
        lua_rawget(L, -2);
    }
    return lua_type(L, -1) == LUA_TNUMBER;
}

// Bounds that are no numbers are reported when the resource is used. // [-0, +0, e]
static void check_ranges(lua_State *L, const char *name)
{
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TTABLE; i++) {
        bool numbers = push_bound(L, 1, "begin");
        lua_insert(L, -2);
        numbers = push_bound(L, 2, "end") && numbers;
        lua_Number first = lua_tonumber(L, -3), last = lua_tonumber(L, -1);
        if (numbers && (first < 0 || last < first))
            luaL_error(L,
                       "resources.%s: range %I is { %s, %s }: { first, last } expected, with 0 <= "
                       "first <= last",
                       name, i, lua_tostring(L, -3), lua_tostring(L, -1));
        lua_pop(L, 3);
    }
    lua_pop(L, 1);
}

// Wraps the list on top as { field = list }. // [-1, +1, e]
static void wrap(lua_State *L, const char *field)
{
    lua_createtable(L, 0, 1);
    lua_insert(L, -2);
    lua_setfield(L, -2, field);
}

// A list of ranges or of items, told apart by its first element. // [-1, +1, e]
static void push_list_resource(lua_State *L, const char *name)
{
    int first = lua_rawgeti(L, -1, 1);
    lua_pop(L, 1);
    if (first == LUA_TTABLE) {
        check_ranges(L, name);
        wrap(L, "range");
        push_resource(L, name, "RANGES", "ranges");
    } else if (first == LUA_TSTRING) {
        wrap(L, "item");
        push_resource(L, name, "SET", "set");
    } else if (first == LUA_TNUMBER) {
        luaL_error(L,
                   "resources.%s: a list of ranges expected, got a list of numbers: write %s = { { "
                   "first, last } }",
                   name, name);
    } else {
        refuse(L, name);
    }
}

// What is meant by a name that only looks like one of those that every agent has, or NULL.
static const char *meant(const char *name)
{
    static const struct {
        const char *name, *meant;
    } rows[] = {{"cpu", "cpus"},   {"cores", "cpus"}, {"memory", "mem"}, {"ram", "mem"},
                {"disks", "disk"}, {"gpu", "gpus"},   {"port", "ports"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].meant;
    return NULL;
}

static void check_name(lua_State *L, const char *name) // [-0, +0, v]
{
    if (!resource_names_known(name) && meant(name) != NULL)
        luaL_error(L, "resources.%s: Mesos calls it '%s'", name, meant(name));
    if (strcmp(name, "ports") == 0 && lua_type(L, -1) == LUA_TNUMBER)
        luaL_error(L, "resources.ports: a list of ranges expected, got a number: write ports = { { "
                      "8080, 8080 } }");
}

static bool check_field(lua_State *L, const void *data, const char *name, struct lint_shape *value)
{
    (void)data, (void)value;
    if (meant(name) == NULL)
        return true;
    lua_pushfstring(L, "resources.%s: Mesos calls it '%s'", name, meant(name));
    return false;
}

const struct lint_type resource_list_type = {.field = check_field};

// A resource of the table, whose name and value are on the stack.
struct named_value {
    const char *name;
    int key; // index on the stack; that of the value is the next
};

enum { FEW = 8 }; // whose array is on the C stack

static int compare_names(const void *a, const void *b)
{
    return resource_names_order(((const struct named_value *)a)->name,
                                ((const struct named_value *)b)->name);
}

// The value at `key` + 1, named by that at `key`, becomes a resource. // [-0, +1, e]
static void push_value(lua_State *L, const struct named_value *value)
{
    const char *name = value->name;
    lua_pushvalue(L, value->key + 1);
    check_name(L, name);
    if (lua_type(L, -1) == LUA_TTABLE) {
        push_list_resource(L, name);
        return;
    }
    if (lua_type(L, -1) != LUA_TNUMBER)
        refuse(L, name);
    if (!(lua_tonumber(L, -1) >= 0) || isinf(lua_tonumber(L, -1)))
        luaL_error(L, "resources.%s: a number of 0 or more expected, got %f", name,
                   lua_tonumber(L, -1));
    push_scalar(L, value->key);
}

static struct named_value named_value_at(lua_State *L, int index) // [-0, +0, v]
{
    if (lua_type(L, index) != LUA_TSTRING)
        luaL_error(L, "mesos.resources: names of resources expected, such as "
                      "mesos.resources { cpus = 1, mem = 128 }");
    const char *name = lua_tostring(L, index);
    if (strlen(name) != lua_rawlen(L, index))
        luaL_error(L, "mesos.resources: the name '%s...' has a zero byte in it", name);
    return (struct named_value){.name = name, .key = index};
}

// Pushes the names in the table at index 1, each with its value behind it. // [-0, +many, e]
static size_t push_pairs(lua_State *L)
{
    size_t count = 0;
    for (lua_pushnil(L); lua_next(L, 1); lua_pushvalue(L, -2), count++)
        luaL_checkstack(L, 10, "resources");
    return count;
}

// In the order of resources. // [-1, +1, e]
static int from_table(lua_State *L)
{
    struct named_value few[FEW], *values = few;
    int first = lua_gettop(L) + 1;
    size_t count = push_pairs(L);
    if (count > FEW)
        values = lua_newuserdatauv(L, count * sizeof *values, 0);
    for (size_t i = 0; i < count; i++)
        values[i] = named_value_at(L, first + 2 * (int)i);
    qsort(values, count, sizeof *values, compare_names);
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        push_value(L, &values[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

void resource_list_push(lua_State *L, struct slice packed)
{
    lua_newtable(L);
    lua_Integer i = 1;
    for (struct slice wire; wire_next_bytes(&packed, WIRE_LIST, &wire); i++) {
        message_decode(L, &mesos__v1__resource__descriptor, wire);
        lua_rawseti(L, -2, i);
    }
}

void resource_list_pack(const struct resources *list, struct buffer *buffer)
{
    for (size_t i = 0; i < list->count; i++) {
        size_t mark = wire_begin(buffer, WIRE_LIST);
        size_t size = mesos__v1__resource__get_packed_size(list->items[i]);
        uint8_t *end = buffer_reserve(buffer, size);
        if (end != NULL)
            buffer->length += mesos__v1__resource__pack(list->items[i], end);
        wire_end(buffer, mark);
    }
}

// Nothing between parsing and freeing can raise. // [-1, +1, e]
static int from_text(lua_State *L)
{
    if (strlen(lua_tostring(L, 1)) != lua_rawlen(L, 1))
        luaL_error(L, "mesos.resources: the text has a zero byte in it");
    struct buffer *buffer = scratch_push(L);
    struct resources list = {.count = 0};
    struct error err = {0};
    bool parsed = resources_parse(&list, lua_tostring(L, 1), NULL, &err);
    if (parsed)
        resource_list_pack(&list, buffer);
    resources_free(&list);
    if (!parsed)
        luaL_error(L, "mesos.resources: %s", err.text);
    resource_list_push(L, buffer_slice(buffer));
    return 1;
}

static int l_resources(lua_State *L) // [-1, +1, e]
{
    dot_call_check(L, "resources");
    lua_settop(L, 1);
    if (lua_type(L, 1) == LUA_TSTRING)
        return from_text(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    return from_table(L);
}

void resource_list_push_function(lua_State *L)
{
    lua_pushliteral(L, "name");
    lua_pushliteral(L, "type");
    lua_pushliteral(L, "scalar");
    lua_pushliteral(L, "SCALAR");
    lua_pushcclosure(L, l_resources, UPVALUES);
}
