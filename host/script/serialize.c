// SPDX-License-Identifier: Apache-2.0
//
// Plain Lua data as bytes, and back: see serialize.h. Neither direction recurses. Saving walks the
// tables with one `struct table_level` for each open table, and the table and the current key on
// the Lua stack; which tables were met before is noted in C memory, so nothing meanwhile can raise.
// Loading holds everything on the Lua stack and owns no C memory, since making tables can raise.

#include "script/serialize.h"

#include "base/memory.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = {'m', 'l', 's', SERIALIZE_VERSION};

enum {
    STACK_PER_LEVEL = 6,
    LEVELS_FIRST = 8, // tables within tables, and tables, that are noted on the C stack
    SLOTS_FIRST = 16,
};

// ---- saving ----

struct table_level {
    int table;         // its index on the Lua stack; while `pairs`, the key is above it
    lua_Integer next;  // of the items without a key, how many were written
    lua_Integer solid; // how many there are: all from 1 up to the first nil
    bool pairs;        // The items with a key have begun.
};

struct met {
    const void *table;
    size_t number;
};

struct saving {
    lua_State *L;
    const char *name;
    struct buffer *out; // NULL: it is only counted what would be written
    size_t length, limit;
    struct error *err;
    struct table_level *levels;
    size_t depth, capacity;
    struct met *met; // a hash table with open addressing, at most half full
    size_t tables, slots;
    struct table_level first_levels[LEVELS_FIRST]; // where both begin
    struct met first_met[SLOTS_FIRST];
};

// ---- tables met before ----

static struct met *find_met(const struct saving *saving, const void *table)
{
    size_t slot = ((uintptr_t)table >> 4) * 0x9e3779b97f4a7c15u >> 20;
    for (;; slot++) {
        struct met *met = &saving->met[slot & (saving->slots - 1)];
        if (met->table == table || met->table == NULL)
            return met;
    }
}

static void grow_met(struct saving *saving)
{
    struct met *old = saving->met;
    size_t slots = saving->slots;
    saving->slots = 4 * slots;
    saving->met = memory_new(saving->slots * sizeof *saving->met);
    for (size_t i = 0; i < slots; i++)
        if (old[i].table != NULL)
            *find_met(saving, old[i].table) = old[i];
    if (old != saving->first_met)
        free(old);
}

static void grow_levels(struct saving *saving)
{
    struct table_level *first = saving->first_levels, *old = saving->levels;
    saving->capacity *= 2;
    saving->levels =
        memory_resize(old != first ? old : NULL, saving->capacity * sizeof *saving->levels);
    if (old == first)
        memcpy(saving->levels, first, sizeof saving->first_levels);
}

static void begin_saving(struct saving *saving)
{
    saving->levels = saving->first_levels;
    saving->capacity = LEVELS_FIRST;
    saving->met = saving->first_met;
    saving->slots = SLOTS_FIRST;
}

static void end_saving(struct saving *saving)
{
    if (saving->levels != saving->first_levels)
        free(saving->levels);
    if (saving->met != saving->first_met)
        free(saving->met);
}

// ---- the path of what cannot be kept ----

static bool is_name(const char *text, size_t length)
{
    if (length == 0 || isdigit((unsigned char)*text))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '_')
            return false;
    return true;
}

static void add_string_key(struct buffer *path, const char *text, size_t length)
{
    enum { SHOWN = 40 };
    if (is_name(text, length) && length <= SHOWN) {
        buffer_format(path, ".%s", text);
        return;
    }
    buffer_append_text(path, "[\"");
    for (size_t i = 0; i < length && i < SHOWN; i++) {
        bool plain = isprint((unsigned char)text[i]) && text[i] != '"' && text[i] != '\\';
        buffer_format(path, plain ? "%c" : "\\x%02x", (unsigned char)text[i]);
    }
    buffer_append_text(path, length > SHOWN ? "...\"]" : "\"]");
}

// [-0, +0, -]
static void add_key(lua_State *L, int index, struct buffer *path)
{
    size_t length;
    switch (lua_type(L, index)) {
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, index, &length);
        add_string_key(path, text, length);
        break;
    }
    case LUA_TNUMBER:
        if (lua_isinteger(L, index))
            buffer_format(path, "[" LUA_INTEGER_FMT "]", lua_tointeger(L, index));
        else
            buffer_format(path, "[%.14g]", lua_tonumber(L, index));
        break;
    default:
        buffer_append_text(path, lua_toboolean(L, index) ? "[true]" : "[false]");
    }
}

static void add_level(const struct saving *saving, size_t i, struct buffer *path)
{
    const struct table_level *level = &saving->levels[i];
    if (level->pairs)
        add_key(saving->L, level->table + 1, path);
    else
        buffer_format(path, "[" LUA_INTEGER_FMT "]", level->next);
}

// The path has the keys of the first `depth` levels. The middle of a long one is left out.
static bool refuse(struct saving *saving, size_t depth, const char *what)
{
    enum { ENDS = 5, PATH_MOST = 2048 };
    struct buffer path;
    buffer_init(&path, PATH_MOST);
    for (size_t i = 0; i < depth; i++) {
        if (i == ENDS && depth > 2 * ENDS) {
            buffer_append_text(&path, " ... ");
            i = depth - ENDS;
        }
        add_level(saving, i, &path);
    }
    error_set(saving->err, ERROR_INVALID, "%s%.800s: %s", saving->name, buffer_string(&path), what);
    buffer_free(&path);
    return false;
}

// ---- values ----

// What stands before the bytes of a value: that it is a key, its kind, and a number or a length.
struct head {
    size_t length;
    uint8_t bytes[12];
};

static struct head begin_head(bool key, char tag)
{
    if (key)
        return (struct head){.length = 2, .bytes = {'=', (uint8_t)tag}};
    return (struct head){.length = 1, .bytes = {(uint8_t)tag}};
}

static void add_varint(struct head *head, uint64_t number)
{
    for (; number > 0x7f; number >>= 7)
        head->bytes[head->length++] = (uint8_t)(number | 0x80);
    head->bytes[head->length++] = (uint8_t)number;
}

static bool too_large(struct saving *saving)
{
    return error_set(saving->err, ERROR_LIMIT,
                     "%s is too large to be kept: it takes more than %zu bytes", saving->name,
                     saving->limit);
}

static bool put(struct saving *saving, const struct head *head, const void *data, size_t length)
{
    size_t all = head->length + length;
    if (all > saving->limit - saving->length)
        return too_large(saving);
    saving->length += all;
    if (saving->out == NULL)
        return true;
    uint8_t *end = buffer_reserve(saving->out, all);
    memcpy(end, head->bytes, head->length);
    if (length > 0)
        memcpy(end + head->length, data, length);
    saving->out->length += all;
    return true;
}

static bool put_head(struct saving *saving, const struct head *head)
{
    return put(saving, head, NULL, 0);
}

static bool put_tag(struct saving *saving, bool key, char tag)
{
    const struct head head = begin_head(key, tag);
    return put_head(saving, &head);
}

static bool put_float(struct saving *saving, bool key, double number)
{
    struct head head = begin_head(key, 'd');
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    for (int i = 0; i < 8; i++)
        head.bytes[head.length++] = (uint8_t)(bits >> 8 * i);
    return put_head(saving, &head);
}

// [-0, +0, -]
static bool put_number(struct saving *saving, int index, bool key)
{
    lua_State *L = saving->L;
    if (!lua_isinteger(L, index))
        return put_float(saving, key, lua_tonumber(L, index));
    struct head head = begin_head(key, 'i');
    uint64_t number = (uint64_t)lua_tointeger(L, index);
    add_varint(&head, number << 1 ^ (0 - (number >> 63)));
    return put_head(saving, &head);
}

// [-0, +0, -]
static bool put_string(struct saving *saving, int index, bool key)
{
    size_t length;
    const char *text = lua_tolstring(saving->L, index, &length);
    struct head head = begin_head(key, 's');
    add_varint(&head, length);
    return put(saving, &head, text, length);
}

static bool refuse_value(struct saving *saving, int type)
{
    const char *what =
        type == LUA_TFUNCTION ? "a function cannot be kept"
        : type == LUA_TTHREAD
            ? "a coroutine cannot be kept"
            : "a userdata cannot be kept (of an offer or a status, keep its :table())";
    return refuse(saving, saving->depth, what);
}

// A value of that type which is no table. // [-0, +0, -]
static bool put_scalar(struct saving *saving, int index, int type, bool key)
{
    switch (type) {
    case LUA_TNIL:
        return put_tag(saving, key, 'n');
    case LUA_TBOOLEAN:
        return put_tag(saving, key, lua_toboolean(saving->L, index) ? 't' : 'f');
    case LUA_TNUMBER:
        return put_number(saving, index, key);
    case LUA_TSTRING:
        return put_string(saving, index, key);
    default:
        return refuse_value(saving, type);
    }
}

static lua_Integer count_solid(lua_State *L, int table) // [-0, +0, -]
{
    lua_Integer count = 0;
    while (lua_rawgeti(L, table, count + 1) != LUA_TNIL) {
        lua_pop(L, 1);
        count++;
    }
    lua_pop(L, 1);
    return count;
}

// Begins the table at the top, which stays there until it is closed. // [-0, +0, -]
static bool open_level(struct saving *saving)
{
    lua_State *L = saving->L;
    if (saving->depth == SERIALIZE_DEPTH)
        return refuse(saving, saving->depth, "tables are nested too deeply to be kept");
    if (!lua_checkstack(L, STACK_PER_LEVEL))
        return error_set(saving->err, ERROR_LIMIT, "%s: not enough memory to save it",
                         saving->name);
    if (saving->depth == saving->capacity)
        grow_levels(saving);
    int table = lua_gettop(L);
    saving->levels[saving->depth++] =
        (struct table_level){.table = table, .solid = count_solid(L, table)};
    return put_tag(saving, false, '{');
}

static bool put_table(struct saving *saving) // [-1, +0|1, -]
{
    lua_State *L = saving->L;
    if (2 * saving->tables >= saving->slots)
        grow_met(saving);
    const void *table = lua_topointer(L, -1);
    struct met *met = find_met(saving, table);
    if (met->table != NULL) {
        struct head head = begin_head(false, '@');
        add_varint(&head, met->number);
        lua_pop(L, 1);
        return put_head(saving, &head);
    }
    if (lua_getmetatable(L, -1))
        return refuse(saving, saving->depth,
                      "a table with a metatable cannot be kept (only plain data)");
    *met = (struct met){.table = table, .number = saving->tables++};
    return open_level(saving);
}

static bool put_value(struct saving *saving) // [-1, +0|1, -]
{
    int type = lua_type(saving->L, -1);
    if (type == LUA_TTABLE)
        return put_table(saving);
    bool fine = put_scalar(saving, -1, type, false);
    lua_pop(saving->L, 1);
    return fine;
}

// ---- the items of a table ----

static bool is_solid(lua_State *L, int index, const struct table_level *level)
{
    if (level->solid == 0 || !lua_isinteger(L, index))
        return false;
    lua_Integer key = lua_tointeger(L, index);
    return key >= 1 && key <= level->solid;
}

// Goes on to the next item with a key. // [-0|1, +1|0, -]
static bool next_pair(lua_State *L, const struct table_level *level)
{
    while (lua_next(L, level->table)) {
        if (!is_solid(L, -2, level))
            return true;
        lua_pop(L, 1);
    }
    return false;
}

// The key below the value at the top. // [-0, +0, -]
static bool put_key(struct saving *saving)
{
    int type = lua_type(saving->L, -2);
    if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN)
        return refuse(saving, saving->depth - 1,
                      "a key that is no string, number or boolean cannot be kept");
    return put_scalar(saving, -2, type, true);
}

static bool close_level(struct saving *saving) // [-1, +0, -]
{
    saving->depth--;
    lua_settop(saving->L, saving->levels[saving->depth].table - 1);
    return put_tag(saving, false, '}');
}

// The next item of the innermost table, or its end.
static bool put_item(struct saving *saving)
{
    lua_State *L = saving->L;
    struct table_level *level = &saving->levels[saving->depth - 1];
    if (level->next < level->solid) {
        lua_rawgeti(L, level->table, ++level->next);
        return put_value(saving);
    }
    if (!level->pairs)
        lua_pushnil(L);
    level->pairs = true;
    if (!next_pair(L, level))
        return close_level(saving);
    return put_key(saving) && put_value(saving);
}

// [-0, +0, -]
static bool walk(struct saving *saving, int index)
{
    lua_State *L = saving->L;
    struct head head = {.length = sizeof magic};
    int top = lua_gettop(L);
    memcpy(head.bytes, magic, sizeof magic);
    if (!lua_checkstack(L, STACK_PER_LEVEL))
        return error_set(saving->err, ERROR_LIMIT, "%s: not enough memory to save it",
                         saving->name);
    begin_saving(saving);
    lua_pushvalue(L, index);
    bool fine = put_head(saving, &head) && put_value(saving);
    while (fine && saving->depth > 0)
        fine = put_item(saving);
    lua_settop(L, top);
    end_saving(saving);
    return fine;
}

bool serialize_save(lua_State *L, int index, const char *name, struct buffer *out,
                    struct error *err)
{
    struct saving saving = {.L = L, .name = name, .out = out, .limit = out->limit, .err = err};
    buffer_clear(out);
    bool fine = walk(&saving, index);
    if (!fine)
        buffer_clear(out);
    return fine;
}

bool serialize_check(lua_State *L, int index, const char *name, size_t limit, struct error *err)
{
    struct saving saving = {.L = L, .name = name, .limit = limit, .err = err};
    return walk(&saving, index);
}

// ---- loading ----

struct loading {
    lua_State *L;
    const uint8_t *start, *at, *end;
    struct error *err;
    int tables; // index on the stack of the list of the tables made so far
    lua_Integer count;
    size_t depth; // how many of the tables above it are not complete
};

static bool bad(const struct loading *loading, const char *what)
{
    error_set(loading->err, ERROR_INVALID, "kept data is damaged: %s at byte %td", what,
              loading->at - loading->start);
    return false;
}

static bool read_tag(struct loading *loading, char *tag)
{
    if (loading->at == loading->end)
        return bad(loading, "it ends too early");
    *tag = (char)*loading->at++;
    return true;
}

static bool read_varint(struct loading *loading, uint64_t *number)
{
    *number = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (loading->at == loading->end)
            return bad(loading, "it ends in a number");
        uint64_t byte = *loading->at++;
        bool spilled = shift == 63 && byte > 1, padded = shift > 0 && byte == 0;
        if (spilled || padded)
            break;
        *number |= (byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return bad(loading, "a malformed number");
}

static bool read_bytes(struct loading *loading, uint64_t length, const uint8_t **bytes)
{
    if (length > (size_t)(loading->end - loading->at))
        return bad(loading, "it ends in a value");
    *bytes = loading->at;
    loading->at += length;
    return true;
}

static bool load_integer(struct loading *loading) // [-0, +1|0, -]
{
    uint64_t number;
    if (!read_varint(loading, &number))
        return false;
    lua_pushinteger(loading->L, (lua_Integer)(number >> 1 ^ (0 - (number & 1))));
    return true;
}

static bool load_float(struct loading *loading) // [-0, +1|0, -]
{
    const uint8_t *bytes;
    uint64_t bits = 0;
    double number;
    if (!read_bytes(loading, 8, &bytes))
        return false;
    for (int i = 0; i < 8; i++)
        bits |= (uint64_t)bytes[i] << 8 * i;
    memcpy(&number, &bits, sizeof number);
    lua_pushnumber(loading->L, number);
    return true;
}

static bool load_string(struct loading *loading) // [-0, +1|0, m]
{
    uint64_t length;
    const uint8_t *bytes;
    if (!read_varint(loading, &length) || !read_bytes(loading, length, &bytes))
        return false;
    lua_pushlstring(loading->L, (const char *)bytes, (size_t)length);
    return true;
}

// Steps over a value that is no table; false where a table, or something unknown, or the end is.
static bool step_over(struct loading *ahead)
{
    uint64_t number;
    const uint8_t *bytes;
    char tag = ahead->at < ahead->end ? (char)*ahead->at++ : '}';
    switch (tag) {
    case 'n':
    case 't':
    case 'f':
        return true;
    case 'i':
    case '@':
        return read_varint(ahead, &number);
    case 'd':
        return read_bytes(ahead, 8, &bytes);
    case 's':
        return read_varint(ahead, &number) && read_bytes(ahead, number, &bytes);
    default:
        return false;
    }
}

struct sizes {
    int items, pairs;
};

// How many items a table has before the first one that is a table itself: what it needs at least.
// Each byte is looked at once for this, as the next table counts its own. What is wrong with the
// bytes is found when they are read.
static struct sizes count_ahead(const struct loading *loading)
{
    enum { MOST = 1 << 20 };
    struct loading ahead = *loading;
    struct sizes sizes = {0};
    ahead.err = NULL;
    while (sizes.items + sizes.pairs < MOST && ahead.at < ahead.end) {
        bool keyed = *ahead.at == '=';
        ahead.at += keyed;
        if ((keyed && !step_over(&ahead)) || !step_over(&ahead))
            break;
        *(keyed ? &sizes.pairs : &sizes.items) += 1;
    }
    return sizes;
}

static bool load_table(struct loading *loading) // [-0, +1|0, m]
{
    lua_State *L = loading->L;
    struct sizes sizes = count_ahead(loading);
    if (loading->depth == SERIALIZE_DEPTH || !lua_checkstack(L, STACK_PER_LEVEL))
        return bad(loading, "tables are nested too deeply");
    loading->depth++;
    lua_createtable(L, sizes.items, sizes.pairs);
    lua_pushvalue(L, -1);
    lua_rawseti(L, loading->tables, ++loading->count);
    return true;
}

static bool load_reference(struct loading *loading) // [-0, +1|0, -]
{
    uint64_t number;
    if (!read_varint(loading, &number))
        return false;
    if (number >= (uint64_t)loading->count)
        return bad(loading, "a reference to a table that is not there");
    lua_rawgeti(loading->L, loading->tables, (lua_Integer)number + 1);
    return true;
}

// Pushes a value; of a table the items follow. // [-0, +1|0, m]
static bool load_value(struct loading *loading, char tag)
{
    lua_State *L = loading->L;
    switch (tag) {
    case 'n':
        lua_pushnil(L);
        return true;
    case 't':
    case 'f':
        lua_pushboolean(L, tag == 't');
        return true;
    case 'i':
        return load_integer(loading);
    case 'd':
        return load_float(loading);
    case 's':
        return load_string(loading);
    case '{':
        return load_table(loading);
    case '@':
        return load_reference(loading);
    default:
        loading->at--;
        return bad(loading, "an unknown kind of value");
    }
}

// ---- the items of a table ----

// True if the value at the top can be a key and is none yet of the table below. // [-0, +0, -]
static bool check_key(const struct loading *loading)
{
    lua_State *L = loading->L;
    if (lua_isnil(L, -1) || lua_istable(L, -1))
        return bad(loading, "a key that cannot be one");
    if (lua_type(L, -1) == LUA_TNUMBER && isnan(lua_tonumber(L, -1)))
        return bad(loading, "a key that is not a number");
    lua_pushvalue(L, -1);
    bool fresh = lua_rawget(L, -3) == LUA_TNIL;
    lua_pop(L, 1);
    return fresh || bad(loading, "a key that was there before");
}

static bool load_key(struct loading *loading) // [-0, +1|0, m]
{
    char tag;
    if (!read_tag(loading, &tag))
        return false;
    if (tag == '{')
        return bad(loading, "a key that cannot be one");
    return load_value(loading, tag) && check_key(loading);
}

// The innermost table, a key and its value, which is a table to be filled, are at the top: all but
// the key stay. // [-1, +0, m]
static void set_pair(lua_State *L)
{
    lua_pushvalue(L, -1);
    lua_insert(L, -3); // table, value, key, value
    lua_rawset(L, -4);
}

// The same without a key; a value that is no such table is popped. // [-(0|1), +0, m]
static void append(lua_State *L, bool open)
{
    lua_Integer index = (lua_Integer)lua_rawlen(L, -2) + 1;
    if (open)
        lua_pushvalue(L, -1);
    lua_rawseti(L, open ? -3 : -2, index);
}

// The next item of the innermost table, which is at the top, or its end. // [-0|1, +0|1, m]
static bool load_item(struct loading *loading)
{
    lua_State *L = loading->L;
    char tag;
    size_t depth = loading->depth;
    if (!read_tag(loading, &tag))
        return false;
    if (tag == '}') {
        lua_pop(L, 1);
        loading->depth--;
        return true;
    }
    bool keyed = tag == '=';
    if (keyed && (!load_key(loading) || !read_tag(loading, &tag)))
        return false;
    if (tag == 'n')
        return bad(loading, "nil in a table");
    if (!load_value(loading, tag))
        return false;
    bool open = loading->depth > depth;
    if (keyed && open)
        set_pair(L);
    else if (keyed)
        lua_rawset(L, -3);
    else
        append(L, open);
    return true;
}

static bool check_magic(struct loading *loading)
{
    size_t length = sizeof magic - 1;
    if (loading->end - loading->at < (ptrdiff_t)sizeof magic ||
        memcmp(loading->at, magic, length) != 0)
        return bad(loading, "it does not begin as kept data does");
    if (loading->at[length] != SERIALIZE_VERSION)
        return error_set(loading->err, ERROR_INVALID,
                         "kept data has format %d, this version of mesos-lua reads format %d",
                         loading->at[length], SERIALIZE_VERSION);
    loading->at += sizeof magic;
    return true;
}

// Leaves the value above the list of tables. // [-0, +1|0, m]
static bool load_root(struct loading *loading)
{
    char tag;
    if (!check_magic(loading) || !read_tag(loading, &tag) || !load_value(loading, tag))
        return false;
    bool table = loading->depth > 0;
    while (loading->depth > 0)
        if (!load_item(loading))
            return false;
    if (table)
        lua_rawgeti(loading->L, loading->tables, 1);
    return loading->at == loading->end || bad(loading, "something is left over");
}

bool serialize_load(lua_State *L, struct slice bytes, struct error *err)
{
    struct loading loading = {.L = L, .start = bytes.data, .at = bytes.data, .err = err};
    loading.end = bytes.length ? bytes.data + bytes.length : bytes.data;
    if (!lua_checkstack(L, 2 * STACK_PER_LEVEL))
        return error_set(err, ERROR_LIMIT, "not enough memory to load kept data");
    lua_createtable(L, 1, 0);
    loading.tables = lua_gettop(L);
    bool fine = load_root(&loading);
    if (fine)
        lua_replace(L, loading.tables);
    lua_settop(L, loading.tables - !fine);
    return fine;
}
