// SPDX-License-Identifier: Apache-2.0
//
// Values for people: see inspect.h. A table is written in one line first; if that is too long, the
// line is discarded and written again over several. The tables around the one that is being
// written are on the Lua stack, where cycles are found.

#include "bindings/message/inspect.h"

#include "base/utf8.h"
#include "bindings/message/message_decode.h"
#include "bindings/message/view.h"
#include "script/protect.h"

#include <lauxlib.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 90, INDENT = 2, STACK = 16 };

struct inspect_writer {
    lua_State *L;
    struct buffer *out;
    int depth;
    int parents[INSPECT_DEPTH]; // stack slots of the tables around
    size_t line;                // where the text of a table in one line may end at most; 0: several
    bool full;                  // of the line or of the buffer: nothing more is written
};

static void write_value(struct inspect_writer *writer, int index);

static void check(struct inspect_writer *writer, bool appended)
{
    bool long_line = writer->line != 0 && writer->out->length > writer->line;
    writer->full = writer->full || long_line || !appended;
}

static void write(struct inspect_writer *writer, const char *text)
{
    if (!writer->full)
        check(writer, buffer_append_text(writer->out, text));
}

static void write_text(struct inspect_writer *writer, const char *text, size_t length)
{
    if (!writer->full)
        check(writer, inspect_text(writer->out, text, length));
}

static void write_count(struct inspect_writer *writer, const char *format, size_t count)
{
    char text[64];
    snprintf(text, sizeof text, format, count);
    write(writer, text);
}

// ---- strings ----

static bool is_plain(unsigned char c)
{
    return c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7f);
}

bool inspect_text(struct buffer *out, const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    bool appended = true;
    for (size_t at = 0; at < length && appended;) {
        size_t step = utf8_length(bytes + at, length - at);
        bool plain = step > 0 && is_plain(bytes[at]);
        appended =
            plain ? buffer_append(out, bytes + at, step) : buffer_format(out, "\\x%02x", bytes[at]);
        at += plain ? step : 1;
    }
    return appended;
}

static const char *escape_of(char c)
{
    static const char letters[] = "\"\\\n\t\r";
    static const char *const escapes[] = {"\\\"", "\\\\", "\\n", "\\t", "\\r"};
    const char *found = c ? strchr(letters, c) : NULL;
    return found ? escapes[found - letters] : NULL;
}

// A long string is cut in front of a whole character.
static size_t cut(const char *text, size_t length)
{
    size_t end = length < INSPECT_STRING ? length : INSPECT_STRING;
    while (end < length && end > INSPECT_STRING - 4 && (text[end] & 0xc0) == 0x80)
        end--;
    return end;
}

static void write_string(struct inspect_writer *writer, int index)
{
    size_t length;
    const char *text = lua_tolstring(writer->L, index, &length);
    size_t end = cut(text, length);
    write(writer, "\"");
    for (size_t at = 0, run; at < end; at += run) {
        const char *escape = escape_of(text[at]);
        run = 1;
        while (escape == NULL && at + run < end && escape_of(text[at + run]) == NULL)
            run++;
        if (escape != NULL)
            write(writer, escape);
        else
            write_text(writer, text + at, run);
    }
    write(writer, "\"");
    if (end < length)
        write_count(writer, " ... (%zu bytes)", length);
}

// ---- what is no table ----

static int l_text(lua_State *L)
{
    luaL_tolstring(L, 1, NULL);
    return 1;
}

static void write_tostring(struct inspect_writer *writer, int index)
{
    lua_State *L = writer->L;
    lua_pushcfunction(L, l_text);
    lua_pushvalue(L, index);
    int status = protect_pcall(L, 1, 1, 0, 0, NULL);
    protect_check(L);
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    if (status != LUA_OK)
        write(writer, "(its __tostring fails: ");
    write_text(writer, text ? text : "?", text ? cut(text, length) : 1);
    write(writer, status != LUA_OK ? ")" : "");
    lua_pop(L, 1);
}

static void write_function(struct inspect_writer *writer, int index)
{
    lua_Debug ar;
    char text[LUA_IDSIZE + 32];
    lua_pushvalue(writer->L, index);
    lua_getinfo(writer->L, ">S", &ar);
    if (ar.linedefined < 0)
        snprintf(text, sizeof text, "function (C)");
    else
        snprintf(text, sizeof text, "function (%s:%d)", ar.short_src, ar.linedefined);
    write(writer, text);
}

static void write_view(struct inspect_writer *writer, const struct view_content *content)
{
    lua_State *L = writer->L;
    write(writer, message_type_get(L, content->type)->name);
    write(writer, " ");
    message_decode_plain(L, content->type, content->slice);
    write_value(writer, lua_gettop(L));
    lua_pop(L, 1);
}

static void write_userdata(struct inspect_writer *writer, int index)
{
    struct view_content content;
    if (view_get(writer->L, index, &content))
        write_view(writer, &content);
    else
        write_tostring(writer, index);
}

// ---- tables ----

struct inspect_key {
    int type, slot; // its place in the list that keeps it
    const char *text;
    lua_Number number;
};

static int compare(const void *left, const void *right)
{
    const struct inspect_key *a = left, *b = right;
    if (a->type != b->type)
        return a->type == LUA_TSTRING ? -1 : b->type == LUA_TSTRING ? 1 : a->type - b->type;
    if (a->type == LUA_TSTRING)
        return strcmp(a->text, b->text);
    if (a->type == LUA_TNUMBER)
        return (a->number > b->number) - (a->number < b->number);
    return a->slot - b->slot;
}

static bool in_list(lua_State *L, int index, lua_Unsigned length)
{
    return lua_isinteger(L, index) && lua_tointeger(L, index) >= 1 &&
           (lua_Unsigned)lua_tointeger(L, index) <= length;
}

// Pushes the keys that are not in the list part, and an array that sorts them. `more` is how many
// there are beyond. // [-0, +2, m]
static struct inspect_key *push_keys(lua_State *L, int index, lua_Unsigned length, int *count,
                                     size_t *more)
{
    lua_newtable(L);
    int list = lua_gettop(L);
    struct inspect_key *keys = lua_newuserdatauv(L, INSPECT_ENTRIES * sizeof *keys, 0);
    *count = 0;
    *more = 0;
    for (lua_pushnil(L); lua_next(L, index) != 0;) {
        lua_pop(L, 1);
        if (in_list(L, -1, length))
            continue;
        if (*count == INSPECT_ENTRIES) {
            ++*more;
            continue;
        }
        struct inspect_key *key = &keys[(*count)++];
        *key = (struct inspect_key){.type = lua_type(L, -1), .slot = *count};
        if (key->type == LUA_TSTRING)
            key->text = lua_tostring(L, -1);
        else if (key->type == LUA_TNUMBER)
            key->number = lua_tonumber(L, -1);
        lua_pushvalue(L, -1);
        lua_rawseti(L, list, *count);
    }
    qsort(keys, (size_t)*count, sizeof *keys, compare);
    return keys;
}

static bool is_name(const char *text)
{
    static const char *const words[] = {
        "and",      "break",  "do",   "else", "elseif", "end",   "false", "for",
        "function", "goto",   "if",   "in",   "local",  "nil",   "not",   "or",
        "repeat",   "return", "then", "true", "until",  "while",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], text) == 0)
            return false;
    size_t length = 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '_')
        length++;
    return length > 0 && text[length] == '\0' && !isdigit((unsigned char)*text);
}

static void write_key(struct inspect_writer *writer, int index)
{
    lua_State *L = writer->L;
    if (lua_type(L, index) == LUA_TSTRING && lua_rawlen(L, index) < INSPECT_STRING &&
        is_name(lua_tostring(L, index))) {
        write(writer, lua_tostring(L, index));
    } else {
        write(writer, "[");
        write_value(writer, index);
        write(writer, "]");
    }
    write(writer, " = ");
}

static void separate(struct inspect_writer *writer, bool *first)
{
    if (!*first)
        write(writer, ",");
    *first = false;
    if (writer->line != 0) {
        write(writer, " ");
        return;
    }
    write(writer, "\n");
    for (int i = 0; i < writer->depth * INDENT; i++)
        write(writer, " ");
}

static void write_more(struct inspect_writer *writer, size_t more, bool *first)
{
    if (more == 0)
        return;
    separate(writer, first);
    write_count(writer, "... (%zu more)", more);
}

static void write_list(struct inspect_writer *writer, int index, lua_Unsigned length, bool *first)
{
    lua_Unsigned shown = length < INSPECT_ENTRIES ? length : INSPECT_ENTRIES;
    for (lua_Unsigned i = 1; i <= shown && !writer->full; i++) {
        separate(writer, first);
        lua_rawgeti(writer->L, index, (lua_Integer)i);
        write_value(writer, lua_gettop(writer->L));
        lua_pop(writer->L, 1);
    }
    write_more(writer, length - shown, first);
}

static void write_named(struct inspect_writer *writer, int index, lua_Unsigned length, bool *first)
{
    lua_State *L = writer->L;
    int count;
    size_t more;
    const struct inspect_key *keys = push_keys(L, index, length, &count, &more);
    int list = lua_gettop(L) - 1;
    for (int i = 0; i < count && !writer->full; i++) {
        separate(writer, first);
        lua_rawgeti(L, list, keys[i].slot);
        write_key(writer, lua_gettop(L));
        lua_rawget(L, index);
        write_value(writer, lua_gettop(L));
        lua_pop(L, 1);
    }
    write_more(writer, more, first);
    lua_pop(L, 2);
}

static void write_contents(struct inspect_writer *writer, int index)
{
    bool first = true;
    lua_Unsigned length = lua_rawlen(writer->L, index);
    write(writer, "{");
    writer->parents[writer->depth++] = index;
    write_list(writer, index, length, &first);
    write_named(writer, index, length, &first);
    writer->depth--;
    if (first)
        write(writer, "}");
    else if (writer->line != 0)
        write(writer, " }");
    else {
        bool last = true;
        separate(writer, &last);
        write(writer, "}");
    }
}

// Where the line began that the text is in now.
static size_t line_start(const struct buffer *out)
{
    size_t at = out->length;
    while (at > 0 && out->data[at - 1] != '\n' && out->length - at < LINE)
        at--;
    return at;
}

static void write_laid_out(struct inspect_writer *writer, int index)
{
    size_t start = writer->out->length;
    if (writer->line != 0 || writer->full) {
        write_contents(writer, index);
        return;
    }
    writer->line = line_start(writer->out) + LINE;
    write_contents(writer, index);
    bool fits = !writer->full;
    writer->line = 0;
    if (fits)
        return;
    writer->full = false;
    writer->out->length = start;
    write_contents(writer, index);
}

static bool is_parent(const struct inspect_writer *writer, int index)
{
    for (int i = 0; i < writer->depth; i++)
        if (lua_rawequal(writer->L, writer->parents[i], index))
            return true;
    return false;
}

// Without the package: "Resource.DiskInfo".
static const char *plain_name(const char *name)
{
    for (const char *dot; islower((unsigned char)*name) && (dot = strchr(name, '.')) != NULL;)
        name = dot + 1;
    return name;
}

// The name of a message's type is in its metatable; of another table that has a __tostring that is
// what its author wants to be seen.
static void write_table(struct inspect_writer *writer, int index)
{
    lua_State *L = writer->L;
    if (is_parent(writer, index)) {
        write(writer, "{ a table around it }");
    } else if (writer->depth == INSPECT_DEPTH) {
        write(writer, "{ ... }");
    } else if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING) {
        write(writer, plain_name(lua_tostring(L, -1)));
        write(writer, " ");
        write_laid_out(writer, index);
    } else if (luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
        write_tostring(writer, index);
    } else {
        write_laid_out(writer, index);
    }
}

static void write_value(struct inspect_writer *writer, int index)
{
    lua_State *L = writer->L;
    int top = lua_gettop(L), type = lua_type(L, index);
    if (writer->full)
        return;
    luaL_checkstack(L, STACK, "tables in tables");
    if (type == LUA_TSTRING)
        write_string(writer, index);
    else if (type == LUA_TTABLE)
        write_table(writer, index);
    else if (type == LUA_TFUNCTION)
        write_function(writer, index);
    else if (type == LUA_TUSERDATA)
        write_userdata(writer, index);
    else
        write_tostring(writer, index);
    lua_settop(L, top);
}

bool inspect_value(lua_State *L, int index, struct buffer *out)
{
    struct inspect_writer writer = {.L = L, .out = out};
    write_value(&writer, lua_absindex(L, index));
    return !writer.full;
}
