// SPDX-License-Identifier: Apache-2.0
//
// Plain data of a Lua file as JSON; see the header. Nothing of the table is called: metatables are
// passed over, and functions are errors.

#include "script/plain_file.h"

#include "base/memory.h"
#include "script/protect.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_LIMIT ((size_t)256 << 20)
#define LOAD_LIMIT 2.0 // seconds

enum { DEPTH = 32, PATH = 200 };

struct writing {
    struct buffer *out;
    struct error err;
    char path[PATH]; // of the value that is written, "agents[2].count"
    int depth;
};

static bool write_value(lua_State *L, int index, struct writing *writing);

// ---- paths ----

// Each returns the length that the path had; what does not fit is cut.
static size_t enter_item(struct writing *writing, lua_Integer at)
{
    size_t length = strlen(writing->path);
    snprintf(writing->path + length, PATH - length, "[%lld]", (long long)at);
    return length;
}

static size_t enter_field(struct writing *writing, const char *name)
{
    size_t length = strlen(writing->path);
    snprintf(writing->path + length, PATH - length, "%s%s", length > 0 ? "." : "", name);
    return length;
}

static bool fault(struct writing *writing, const char *words)
{
    return error_set(&writing->err, ERROR_INVALID, "%s: %s",
                     writing->path[0] != '\0' ? writing->path : "what it returns", words);
}

// ---- values ----

static bool write_text(struct writing *writing, const char *text, size_t length)
{
    struct buffer *out = writing->out;
    buffer_append_text(out, "\"");
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == '"' || byte == '\\')
            buffer_format(out, "\\%c", byte);
        else if (byte < 0x20)
            buffer_format(out, "\\u%04x", byte);
        else
            buffer_append(out, &byte, 1);
    }
    return buffer_append_text(out, "\"") || fault(writing, "it is too long");
}

static bool write_number(lua_State *L, int index, struct writing *writing)
{
    if (lua_isinteger(L, index))
        return buffer_format(writing->out, "%lld", (long long)lua_tointeger(L, index)) ||
               fault(writing, "it is too long");
    double number = lua_tonumber(L, index);
    if (!isfinite(number))
        return fault(writing, "a number that is not finite");
    return buffer_format(writing->out, "%.17g", number) || fault(writing, "it is too long");
}

// ---- tables ----

static bool write_list(lua_State *L, int index, lua_Integer count, struct writing *writing)
{
    buffer_append_text(writing->out, "[");
    for (lua_Integer i = 1; i <= count; i++) {
        buffer_append_text(writing->out, i > 1 ? "," : "");
        size_t length = enter_item(writing, i);
        lua_rawgeti(L, index, i);
        bool good = write_value(L, lua_gettop(L), writing);
        lua_pop(L, 1);
        if (!good)
            return false;
        writing->path[length] = '\0';
    }
    return buffer_append_text(writing->out, "]") || fault(writing, "it is too long");
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// The names of the fields, which live as long as the table. NULL if there are other keys.
static const char **list_names(lua_State *L, int index, size_t count, struct writing *writing)
{
    const char **names = memory_new((count + 1) * sizeof *names);
    size_t found = 0;
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) == LUA_TSTRING) {
            names[found++] = lua_tostring(L, -2);
            continue;
        }
        lua_pop(L, 2);
        free(names);
        fault(writing, "a table is either a list or has fields with names");
        return NULL;
    }
    qsort(names, count, sizeof *names, compare_names);
    return names;
}

static bool write_fields(lua_State *L, int index, size_t count, struct writing *writing)
{
    const char **names = list_names(L, index, count, writing);
    bool good = names != NULL;
    buffer_append_text(writing->out, "{");
    for (size_t i = 0; i < count && good; i++) {
        size_t length = enter_field(writing, names[i]);
        buffer_append_text(writing->out, i > 0 ? "," : "");
        write_text(writing, names[i], strlen(names[i]));
        buffer_append_text(writing->out, ":");
        lua_pushstring(L, names[i]);
        lua_rawget(L, index);
        good = write_value(L, lua_gettop(L), writing);
        lua_pop(L, 1);
        if (good)
            writing->path[length] = '\0';
    }
    free(names);
    return good && (buffer_append_text(writing->out, "}") || fault(writing, "it is too long"));
}

static bool write_table(lua_State *L, int index, struct writing *writing)
{
    size_t count = 0, length = (size_t)lua_rawlen(L, index);
    if (writing->depth == DEPTH || !lua_checkstack(L, 8))
        return fault(writing, "tables lie too deep in one another");
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1))
        count++;
    writing->depth++;
    bool good = length == count ? write_list(L, index, (lua_Integer)count, writing)
                                : write_fields(L, index, count, writing);
    writing->depth--;
    return good;
}

static bool write_value(lua_State *L, int index, struct writing *writing)
{
    size_t length;
    const char *text;
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        return buffer_append_text(writing->out, lua_toboolean(L, index) ? "true" : "false") ||
               fault(writing, "it is too long");
    case LUA_TNUMBER:
        return write_number(L, index, writing);
    case LUA_TSTRING:
        text = lua_tolstring(L, index, &length);
        return write_text(writing, text, length);
    case LUA_TTABLE:
        return write_table(L, index, writing);
    default:
        return fault(writing, "numbers, texts, true, false and tables of them are expected");
    }
}

// ---- the file ----

// (struct writing) // [-1, +0, m]
static int l_write(lua_State *L)
{
    struct writing *writing = lua_touserdata(L, 1);
    script_result(script_of(L), L);
    if (lua_type(L, -1) != LUA_TTABLE)
        fault(writing, "a table is expected");
    else
        write_value(L, lua_gettop(L), writing);
    return 0;
}

static bool write_result(struct script *script, const char *path, struct buffer *out,
                         struct error *err)
{
    struct writing writing = {.out = out};
    if (protect_run(script, NULL, l_write, &writing, 0) == PROTECT_RAISED)
        return error_set(err, ERROR_SCRIPT, "%s: %s", path, protect_text(script));
    return writing.err.code == ERROR_NONE ||
           error_set(err, writing.err.code, "%s: %s", path, writing.err.text);
}

bool plain_file_read(const char *path, struct loop *loop, struct buffer *out, struct error *err)
{
    const struct script_settings settings = {
        .loop = loop, .memory_limit = MEMORY_LIMIT, .load_limit = LOAD_LIMIT, .sandbox = true};
    struct script *script = script_create(&settings, err);
    if (script == NULL)
        return false;
    bool good = script_load(script, path, 0, NULL, err) && write_result(script, path, out, err);
    script_destroy(script);
    return good;
}
