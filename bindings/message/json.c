// SPDX-License-Identifier: Apache-2.0
//
// JSON: see json.h. jansson reads; its tree belongs to a userdata, so that no Lua error leaks it.
// Writing goes from Lua straight into the buffer. Where a value lies is a chain of places on the C
// stack, from which an error makes its path.

#include "bindings/message/json.h"

#include "base/utf8.h"
#include "bindings/core/scratch.h"
#include "bindings/core/userdata.h"
#include "wire/json_text.h"

#include <jansson.h>
#include <lauxlib.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TREE_TYPE "mesos.json"

enum { STACK_PER_LEVEL = 8, PATH_MOST = 700, KEY_SHOWN = 60 };

// ---- where a value is ----

struct json_place {
    const struct json_place *parent; // NULL: the value itself, whose name is `key`
    const char *key;                 // of an object, or
    lua_Integer index;               //   in a list, when there is no key
    int depth;
};

static struct json_place json_place_in(const struct json_place *parent, const char *key,
                                       lua_Integer index)
{
    return (struct json_place){parent, key, index, parent->depth + 1};
}

static void describe(const struct json_place *place, struct buffer *path)
{
    if (place->parent == NULL) {
        buffer_append_text(path, place->key);
        return;
    }
    describe(place->parent, path);
    if (place->key == NULL)
        buffer_format(path, "[" LUA_INTEGER_FMT "]", place->index);
    else
        buffer_format(path, ".%.*s", KEY_SHOWN, place->key);
}

static bool refuse(const struct json_place *place, struct error *err, const char *what)
{
    struct buffer path;
    buffer_init(&path, PATH_MOST);
    describe(place, &path);
    error_set(err, ERROR_INVALID, "%s %s", buffer_string(&path), what);
    buffer_free(&path);
    return false;
}

// ---- reading ----

struct json_tree {
    struct userdata base;
    json_t *root;
};

struct json_reading {
    lua_State *L;
    int null;
    struct error *err;
};

static bool push_value(struct json_reading *reading, const struct json_place *place,
                       json_t *value); // [-0, +1|0, m]

static bool is_missing(const struct json_reading *reading, json_t *value)
{
    return json_is_null(value) && reading->null == 0;
}

static bool push_object(struct json_reading *reading, const struct json_place *place,
                        json_t *object) // [-0, +1|many, m]
{
    const char *key;
    json_t *value;
    lua_createtable(reading->L, 0, (int)json_object_size(object));
    json_object_foreach(object, key, value)
    {
        const struct json_place member = json_place_in(place, key, 0);
        if (is_missing(reading, value))
            continue;
        if (!push_value(reading, &member, value))
            return false;
        lua_setfield(reading->L, -2, key);
    }
    return true;
}

static bool push_list(struct json_reading *reading, const struct json_place *place,
                      json_t *list) // [-0, +1|many, m]
{
    size_t count = json_array_size(list);
    lua_createtable(reading->L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        json_t *value = json_array_get(list, i);
        const struct json_place item = json_place_in(place, NULL, (lua_Integer)i + 1);
        if (is_missing(reading, value))
            return refuse(&item, reading->err, "is null, which a list in Lua cannot hold");
        if (!push_value(reading, &item, value))
            return false;
        lua_rawseti(reading->L, -2, (lua_Integer)i + 1);
    }
    return true;
}

static void push_scalar(struct json_reading *reading, json_t *value) // [-0, +1, m]
{
    lua_State *L = reading->L;
    if (json_is_string(value))
        lua_pushlstring(L, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value))
        lua_pushinteger(L, json_integer_value(value));
    else if (json_is_real(value))
        lua_pushnumber(L, json_real_value(value));
    else if (json_is_boolean(value))
        lua_pushboolean(L, json_is_true(value));
    else if (reading->null != 0)
        lua_pushvalue(L, reading->null);
    else
        lua_pushnil(L);
}

static bool push_value(struct json_reading *reading, const struct json_place *place, json_t *value)
{
    bool object = json_is_object(value);
    if (!object && !json_is_array(value)) {
        push_scalar(reading, value);
        return true;
    }
    if (place->depth >= JSON_DEPTH)
        return refuse(place, reading->err, "is nested too deeply: 200 levels are the most");
    luaL_checkstack(reading->L, STACK_PER_LEVEL, "a value in JSON");
    return object ? push_object(reading, place, value) : push_list(reading, place, value);
}

static void end_tree(lua_State *L, struct userdata *userdata)
{
    (void)L;
    json_decref(((struct json_tree *)userdata)->root);
}

static bool check_size(struct slice text, struct error *err)
{
    if (text.length > JSON_TEXT)
        return error_set(err, ERROR_LIMIT, "the text has %zu bytes, and the limit is 64 MiB",
                         text.length);
    size_t values = json_text_values(text);
    return values <= JSON_VALUES ||
           error_set(err, ERROR_LIMIT, "the text has up to %zu values, and the limit is 1000000",
                     values);
}

static json_t *parse(struct slice text, struct error *err)
{
    json_error_t reason;
    const char *data = text.length > 0 ? (const char *)text.data : "";
    json_t *root = json_loadb(data, text.length,
                              JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &reason);
    if (root == NULL)
        error_set(err, ERROR_INVALID, "line %d, column %d: %s", reason.line, reason.column,
                  reason.text);
    return root;
}

bool json_decode(lua_State *L, struct slice text, int null, struct error *err)
{
    int top = lua_gettop(L);
    struct json_reading reading = {L, null != 0 ? lua_absindex(L, null) : 0, err};
    const struct json_place place = {.key = "the value"};
    if (!check_size(text, err))
        return false;
    struct json_tree *tree = userdata_push(L, TREE_TYPE, sizeof *tree, 0, end_tree);
    tree->root = parse(text, err);
    bool good = tree->root != NULL && push_value(&reading, &place, tree->root);
    json_decref(tree->root);
    tree->root = NULL;
    if (good)
        lua_replace(L, top + 1);
    lua_settop(L, top + good);
    return good;
}

// ---- writing ----

struct json_writing {
    lua_State *L;
    const struct json_style *style;
    struct buffer *out;
};

static void write_value(struct json_writing *writing, const struct json_place *place, int index);

// [-0, +0, v]
static void raise(struct json_writing *writing, const struct json_place *place, const char *what)
{
    struct error err = {0};
    refuse(place, &err, what);
    luaL_error(writing->L, "%s", err.text);
}

static void check_room(struct json_writing *writing, bool appended) // [-0, +0, v]
{
    if (!appended)
        luaL_error(writing->L, "the text is longer than the limit of %d bytes",
                   (int)writing->out->limit);
}

static void write_raw(struct json_writing *writing, const char *text)
{
    check_room(writing, buffer_append_text(writing->out, text));
}

static void start_line(struct json_writing *writing, int depth)
{
    int spaces = writing->style->indent * depth;
    if (writing->style->indent > 0)
        check_room(writing, buffer_format(writing->out, "\n%*s", spaces, ""));
}

static void write_text(struct json_writing *writing, const struct json_place *place,
                       const char *text, size_t length)
{
    if (!utf8_valid(text, length))
        raise(writing, place, "is a string that is not UTF-8, which JSON does not have");
    check_room(writing, json_text_bytes(text, length, writing->out));
}

static void write_number(struct json_writing *writing, const struct json_place *place, int index)
{
    lua_State *L = writing->L;
    if (lua_isinteger(L, index)) {
        check_room(writing, buffer_format(writing->out, LUA_INTEGER_FMT, lua_tointeger(L, index)));
        return;
    }
    if (!isfinite(lua_tonumber(L, index)))
        raise(writing, place, "is a number that is not finite, which JSON does not have");
    check_room(writing, json_text_double(lua_tonumber(L, index), writing->out));
}

// ---- tables ----

struct json_key {
    const char *text; // the table keeps it
    size_t length;
};

static int compare_keys(const void *left, const void *right)
{
    const struct json_key *a = left, *b = right;
    int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

// How many keys the table has, and how many of them are strings. // [-0, +0, -]
static size_t count_keys(lua_State *L, int table, size_t *texts)
{
    size_t count = 0;
    *texts = 0;
    for (lua_pushnil(L); lua_next(L, table) != 0; count++) {
        lua_pop(L, 1);
        *texts += lua_type(L, -1) == LUA_TSTRING;
    }
    return count;
}

static struct json_key *push_keys(lua_State *L, int table, size_t count) // [-0, +1, m]
{
    struct json_key *keys = lua_newuserdatauv(L, count * sizeof *keys, 0);
    size_t i = 0;
    for (lua_pushnil(L); lua_next(L, table) != 0; i++) {
        lua_pop(L, 1);
        keys[i].text = lua_tolstring(L, -1, &keys[i].length);
    }
    qsort(keys, count, sizeof *keys, compare_keys);
    return keys;
}

// [-0, +0, e]
static void write_object(struct json_writing *writing, const struct json_place *place, int table,
                         size_t count)
{
    lua_State *L = writing->L;
    const struct json_key *keys = push_keys(L, table, count);
    write_raw(writing, "{");
    for (size_t i = 0; i < count; i++) {
        const struct json_place member = json_place_in(place, keys[i].text, 0);
        write_raw(writing, i ? "," : "");
        start_line(writing, member.depth);
        if (!utf8_valid(keys[i].text, keys[i].length))
            raise(writing, place, "has a key that is not UTF-8, which JSON does not have");
        check_room(writing, json_text_bytes(keys[i].text, keys[i].length, writing->out));
        write_raw(writing, writing->style->indent > 0 ? ": " : ":");
        lua_pushlstring(L, keys[i].text, keys[i].length);
        lua_rawget(L, table);
        write_value(writing, &member, lua_gettop(L));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    start_line(writing, place->depth);
    write_raw(writing, "}");
}

// [-0, +0, e]
static void write_list(struct json_writing *writing, const struct json_place *place, int table,
                       size_t count)
{
    lua_State *L = writing->L;
    write_raw(writing, "[");
    for (size_t i = 1; i <= count; i++) {
        const struct json_place item = json_place_in(place, NULL, (lua_Integer)i);
        write_raw(writing, i > 1 ? "," : "");
        start_line(writing, item.depth);
        if (lua_rawgeti(L, table, (lua_Integer)i) == LUA_TNIL)
            raise(writing, place,
                  "is a table whose keys are neither all strings nor 1, 2, 3 and so on");
        write_value(writing, &item, lua_gettop(L));
        lua_pop(L, 1);
    }
    start_line(writing, place->depth);
    write_raw(writing, "]");
}

// [-0, +0, e]
static void write_empty(struct json_writing *writing, int table)
{
    lua_State *L = writing->L;
    bool object = writing->style->empty_is_object;
    if (luaL_getmetafield(L, table, "__jsontype") != LUA_TNIL) {
        const char *type = lua_tostring(L, -1);
        object = type != NULL && strcmp(type, "object") == 0;
        lua_pop(L, 1);
    }
    write_raw(writing, object ? "{}" : "[]");
}

// [-0, +0, e]
static void write_table(struct json_writing *writing, const struct json_place *place, int table)
{
    size_t texts, count;
    if (place->depth >= JSON_DEPTH)
        raise(writing, place,
              "is nested too deeply: 200 levels are the most, and a table may not contain itself");
    luaL_checkstack(writing->L, STACK_PER_LEVEL, "a value in JSON");
    count = count_keys(writing->L, table, &texts);
    if (count == 0)
        write_empty(writing, table);
    else if (texts == count)
        write_object(writing, place, table, count);
    else
        write_list(writing, place, table, count);
}

// [-0, +0, e]
static void write_value(struct json_writing *writing, const struct json_place *place, int index)
{
    lua_State *L = writing->L;
    size_t length;
    int type = lua_type(L, index);
    if (type == LUA_TTABLE) {
        write_table(writing, place, index);
    } else if (type == LUA_TSTRING) {
        const char *text = lua_tolstring(L, index, &length);
        write_text(writing, place, text, length);
    } else if (type == LUA_TNUMBER) {
        write_number(writing, place, index);
    } else if (type == LUA_TBOOLEAN) {
        write_raw(writing, lua_toboolean(L, index) ? "true" : "false");
    } else if (type == LUA_TNIL ||
               (type == LUA_TLIGHTUSERDATA && lua_touserdata(L, index) == NULL)) {
        write_raw(writing, "null");
    } else {
        raise(writing, place,
              type == LUA_TUSERDATA
                  ? "is a userdata, which JSON does not have (of an offer or a status, give its "
                    ":table())"
                  : lua_pushfstring(L, "is a %s, which JSON does not have", lua_typename(L, type)));
    }
}

void json_encode(lua_State *L, int index, const char *name, const struct json_style *style,
                 struct buffer *out)
{
    struct json_writing writing = {L, style, out};
    const struct json_place place = {.key = name};
    luaL_checkstack(L, STACK_PER_LEVEL, "a value in JSON");
    write_value(&writing, &place, lua_absindex(L, index));
}

// ---- for the Lua library ----

static void read_style(lua_State *L, int index, struct json_style *style) // [-0, +0, e]
{
    static const char *const kinds[] = {"array", "object", NULL};
    if (lua_isnoneornil(L, index))
        return;
    luaL_checktype(L, index, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        if (strcmp(name, "empty") == 0)
            style->empty_is_object = luaL_checkoption(L, lua_gettop(L), NULL, kinds) == 1;
        else if (strcmp(name, "indent") == 0)
            style->indent = (int)luaL_checkinteger(L, -1);
        else
            luaL_error(L, "there is no option '%s': empty and indent are",
                       luaL_tolstring(L, -2, NULL));
    }
    if (style->indent < 0 || style->indent > JSON_INDENT_MOST)
        luaL_error(L, "indent is a number from 0 to %d", JSON_INDENT_MOST);
}

static int l_json_encode(lua_State *L) // [-n, +1, e]
{
    struct json_style style = {.indent = 0};
    luaL_checkany(L, 1);
    lua_settop(L, 2);
    read_style(L, 2, &style);
    struct buffer *out = scratch_push(L);
    out->limit = JSON_TEXT;
    json_encode(L, 1, "the value", &style, out);
    lua_pushlstring(L, buffer_string(out), out->length);
    buffer_free(out);
    return 1;
}

static int l_json_decode(lua_State *L) // [-n, +1|2, e]
{
    struct error err = {0};
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_settop(L, 2);
    const struct slice slice = {(const uint8_t *)text, length};
    if (json_decode(L, slice, lua_isnil(L, 2) ? 0 : 2, &err))
        return 1;
    lua_pushnil(L);
    lua_pushstring(L, err.text);
    return 2;
}

static int l_internal(lua_State *L) // [-n, +1, e]
{
    static const luaL_Reg functions[] = {
        {"json_encode", l_json_encode}, {"json_decode", l_json_decode}, {NULL, NULL}};
    luaL_newlib(L, functions);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "json_null");
    return 1;
}

void json_open(lua_State *L)
{
    userdata_type(L, TREE_TYPE);
    lua_pop(L, 1);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, l_internal);
    lua_setfield(L, -2, "mesos.internal");
    lua_pop(L, 1);
}
