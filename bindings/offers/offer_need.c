// SPDX-License-Identifier: Apache-2.0
//
// Needs: see offer_need.h. Every key that is no option is the name of a resource. A name that no
// offer has and that is similar to a known one is an error; any other fits no offer.

#include "bindings/offers/offer_need.h"

#include "base/suggest.h"
#include "offers/resource_names.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#define AMOUNT_MOST 1e12

struct need_reader {
    lua_State *L;
    int index;
    struct offer_packing *stock;
    const char *method;
    bool revocable;
    struct offer_packing_need *need;
    const char *names[OFFER_PACKING_AMOUNTS]; // of its amounts, in the order of resources
};

// ---- names ----

static const char *const resources[] = {"cpus", "mem", "disk", "gpus", "ports"};
static const char *const options[] = {"role", "attributes", "where", "revocable"};

enum {
    RESOURCES = sizeof resources / sizeof *resources,
    OPTIONS = sizeof options / sizeof *options,
};

static const char *known_name(const void *data, size_t index)
{
    (void)data;
    if (index < RESOURCES)
        return resources[index];
    return index < RESOURCES + OPTIONS ? options[index - RESOURCES] : NULL;
}

static bool is_among(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

// What was meant by a name that is none of ours, or NULL.
static const char *meant(const char *name)
{
    static const char *const others[][2] = {
        {"memory", "mem"}, {"ram", "mem"}, {"cores", "cpus"}, {"storage", "disk"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i][0], name) == 0)
            return others[i][1];
    return is_among(resources, RESOURCES, name) ? NULL : suggest(name, known_name, NULL);
}

// [-0, +0, v]
static void refuse(const struct need_reader *reader, const char *name, const char *what)
{
    const char *near = meant(name);
    luaL_error(reader->L, "%s: %s: %s%s%s%s", reader->method, name, what,
               near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

// A resource that no offer has is most often misspelt. // [-0, +0, v]
static void check_names(const struct need_reader *reader)
{
    for (size_t i = 0; i < reader->need->count; i++) {
        const struct offer_packing_amount *amount = &reader->need->amounts[i];
        bool present = offer_packing_present(reader->stock, amount->column) ||
                       (amount->revocable != OFFER_PACKING_NONE &&
                        offer_packing_present(reader->stock, amount->revocable));
        if (!present && meant(reader->names[i]) != NULL)
            refuse(reader, reader->names[i], "no offer has such a resource");
    }
}

// ---- amounts ----

static void check_amount(const struct need_reader *reader, const char *name) // [-0, +0, v]
{
    lua_State *L = reader->L;
    if (lua_type(L, -1) != LUA_TNUMBER)
        refuse(reader, name, lua_pushfstring(L, "a number expected, got %s", luaL_typename(L, -1)));
    double value = lua_tonumber(L, -1);
    if (!(value >= 0) || value > AMOUNT_MOST)
        luaL_error(L, "%s: %s: a number from 0 to 1e12 expected, got %f", reader->method, name,
                   value);
    if (strcmp(name, "ports") == 0 && value != floor(value))
        luaL_error(L, "%s: ports: how many, a whole number expected, got %f", reader->method,
                   value);
}

// The place of that name among the amounts, made free. The order is that of lists of resources, so
// the same need gives the same sums and the same list.
static size_t insert_name(struct need_reader *reader, const char *name)
{
    size_t place = reader->need->count++;
    for (; place > 0 && resource_names_order(reader->names[place - 1], name) > 0; place--) {
        reader->names[place] = reader->names[place - 1];
        reader->need->amounts[place] = reader->need->amounts[place - 1];
    }
    reader->names[place] = name;
    return place;
}

static uint32_t column(const struct need_reader *reader, const char *name, bool revocable)
{
    uint32_t found = offer_packing_column(reader->stock, slice_text(name), revocable);
    if (found == OFFER_PACKING_NONE)
        luaL_error(reader->L, "%s: these offers were asked for too many different resources (%d)",
                   reader->method, OFFER_PACKING_COLUMNS);
    return found;
}

// The value on top is what is needed of that resource. // [-0, +0, e]
static void read_amount(struct need_reader *reader, const char *name)
{
    check_amount(reader, name);
    if (reader->need->count == OFFER_PACKING_AMOUNTS)
        luaL_error(reader->L, "%s: more than %d resources", reader->method, OFFER_PACKING_AMOUNTS);
    const struct offer_packing_amount amount = {
        .column = column(reader, name, false),
        .revocable = reader->revocable ? column(reader, name, true) : OFFER_PACKING_NONE,
        .thousandths = round(lua_tonumber(reader->L, -1) * 1000),
    };
    reader->need->amounts[insert_name(reader, name)] = amount;
}

static void read_amounts(struct need_reader *reader) // [-0, +0, e]
{
    lua_State *L = reader->L;
    for (lua_pushnil(L); lua_next(L, reader->index) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "%s: what is needed is said by name, such as { cpus = 1, mem = 128 }",
                       reader->method);
        if (strlen(lua_tostring(L, -2)) != lua_rawlen(L, -2))
            luaL_error(L, "%s: the name '%s...' has a zero byte in it", reader->method,
                       lua_tostring(L, -2));
        if (!is_among(options, OPTIONS, lua_tostring(L, -2)))
            read_amount(reader, lua_tostring(L, -2));
    }
}

static bool read_revocable(const struct need_reader *reader) // [-0, +0, v]
{
    lua_State *L = reader->L;
    int type = lua_getfield(L, reader->index, "revocable");
    bool revocable = lua_toboolean(L, -1);
    if (type != LUA_TNIL && type != LUA_TBOOLEAN)
        luaL_error(L, "%s: revocable: true or false expected, got %s", reader->method,
                   luaL_typename(L, -1));
    lua_pop(L, 1);
    return revocable;
}

void offer_need_amounts(lua_State *L, int index, struct offer_packing *stock, const char *method,
                        struct offer_packing_need *need)
{
    struct need_reader reader = {
        .L = L, .index = index, .stock = stock, .method = method, .need = need};
    if (!lua_istable(L, index))
        luaL_error(L, "%s: a table such as { cpus = 1, mem = 128 } expected, got %s", method,
                   luaL_typename(L, index));
    need->count = 0;
    need->mask = NULL;
    reader.revocable = read_revocable(&reader);
    read_amounts(&reader);
    offer_packing_fill(stock);
    check_names(&reader);
}

// ---- role and attributes ----

static struct slice text_at(lua_State *L, int index) // [-0, +0, -]
{
    size_t length;
    const char *text = lua_tolstring(L, index, &length);
    return (struct slice){.data = (const uint8_t *)text, .length = length};
}

// The text or number on top. // [-0, +0, v]
static struct offer_word read_word(lua_State *L, const char *method, const char *name)
{
    int type = lua_type(L, -1);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
        luaL_error(L, "%s: attributes.%s: a string, a number or a list of them expected, got %s",
                   method, name, luaL_typename(L, -1));
    if (type == LUA_TNUMBER)
        return (struct offer_word){.number = lua_tonumber(L, -1)};
    return (struct offer_word){.text = text_at(L, -1)};
}

size_t offer_need_words(lua_State *L, const char *method, const char *name,
                        struct offer_word *words)
{
    if (!lua_istable(L, -1)) {
        words[0] = read_word(L, method, name);
        return 1;
    }
    size_t count = lua_rawlen(L, -1);
    if (count == 0 || count > OFFER_WORDS)
        luaL_error(L, "%s: attributes.%s: 1 to %d values expected, got %d", method, name,
                   OFFER_WORDS, (int)count);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        words[i] = read_word(L, method, name);
        lua_pop(L, 1);
    }
    return count;
}

// The table of attributes is on top. // [-0, +0, e]
static void read_attributes(lua_State *L, struct offer_packing *stock, const char *method,
                            uint8_t *mask)
{
    struct offer_word words[OFFER_WORDS];
    int table = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "%s: attributes: names expected, such as { rack = \"a\" }", method);
        size_t count = offer_need_words(L, method, lua_tostring(L, -2), words);
        offer_packing_mask_attribute(stock, text_at(L, -2), words, count, mask);
    }
}

static bool has(lua_State *L, int index, const char *method, const char *name, int type)
{
    int found = lua_getfield(L, index, name);
    if (found != LUA_TNIL && found != type)
        luaL_error(L, "%s: %s: a %s expected, got %s", method, name, lua_typename(L, type),
                   luaL_typename(L, -1));
    return found != LUA_TNIL;
}

void offer_need_read(lua_State *L, int index, struct offer_packing *stock, const char *method,
                     struct offer_packing_need *need)
{
    offer_need_amounts(L, index, stock, method, need);
    int top = lua_gettop(L);
    bool role = has(L, index, method, "role", LUA_TSTRING);
    bool attributes = has(L, index, method, "attributes", LUA_TTABLE);
    has(L, index, method, "where", LUA_TFUNCTION);
    if (!role && !attributes) {
        lua_settop(L, top);
        lua_pushnil(L);
        return;
    }
    size_t rows = offer_packing_rows(stock);
    uint8_t *mask = lua_newuserdatauv(L, rows, 0);
    memset(mask, 1, rows);
    lua_insert(L, top + 1); // mask role attributes where
    if (role)
        offer_packing_mask_role(stock, text_at(L, top + 2), mask);
    lua_settop(L, top + 3);
    if (attributes)
        read_attributes(L, stock, method, mask);
    need->mask = mask;
    lua_settop(L, top + 1);
}

// ---- needs that are only written down ----

static bool check_field(lua_State *L, const void *data, const char *name, struct lint_shape *value)
{
    (void)data, (void)value;
    const char *near = is_among(options, OPTIONS, name) ? NULL : meant(name);
    if (near != NULL)
        lua_pushfstring(L, "%s: no agent has such a resource (did you mean '%s'?)", name, near);
    return near == NULL;
}

const struct lint_type offer_need_type = {.field = check_field};
