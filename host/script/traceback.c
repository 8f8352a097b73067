// SPDX-License-Identifier: Apache-2.0
//
// Texts of errors: see traceback.h. The trace of a coroutine of the script is kept in the registry
// with the error that ended it, until the script is idle.

#include "script/traceback.h"

#include "script/script_internal.h"

#include <lauxlib.h>

#include <string.h>

enum { TRACE_LIMIT = 16384 }; // bytes of the traces of nested coroutines

static const char trace_error; // registry: the error that ended a coroutine of the script,
static const char trace_text;  //   and the trace of that coroutine

// ---- the value ----

static bool is_text(lua_State *L, int index) // [-0, +0, -]
{
    bool text = lua_isstring(L, index);
    if (!text && luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
        lua_pop(L, 1);
        text = true;
    }
    return text;
}

enum { SHOWN_FIELDS = 5, SHOWN_TEXT = 80 };

// The plain value at the top as it would be written. // [-1, +1, m]
static void quote(lua_State *L)
{
    bool text = lua_type(L, -1) == LUA_TSTRING;
    luaL_tolstring(L, -1, NULL);
    lua_pushfstring(L, text ? "\"%s\"" : "%s", lua_tostring(L, -1));
    lua_replace(L, -3);
    lua_pop(L, 1);
}

// Appends ": code = 7, reason = \"busy\"", the plain fields of the table at 1, to the text at 2.
// [-0, +0, m]
static void append_fields(lua_State *L)
{
    int shown = 0;
    for (lua_pushnil(L); lua_next(L, 1) != 0 && shown < SHOWN_FIELDS; lua_settop(L, 3)) {
        bool plain = lua_isstring(L, -1) && lua_rawlen(L, -1) <= SHOWN_TEXT;
        if (!plain || lua_type(L, -2) != LUA_TSTRING)
            continue;
        quote(L);
        lua_pushfstring(L, "%s%s%s = %s", lua_tostring(L, 2), shown++ ? ", " : ": ",
                        lua_tostring(L, 3), lua_tostring(L, 4));
        lua_replace(L, 2);
    }
    lua_settop(L, 2);
}

// (error) -> a readable form of an error that is no text, with advice
static int l_describe_value(lua_State *L)
{
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_pushliteral(L, "an error without a message: give error() a text");
        return 1;
    }
    lua_pushfstring(L, "an error that is no text but a %s", luaL_typename(L, 1));
    if (lua_istable(L, 1))
        append_fields(L);
    lua_pushfstring(L, "%s (give error() a text%s)", lua_tostring(L, -1),
                    lua_istable(L, 1) ? ", or the table a metatable with __tostring" : "");
    return 1;
}

// (error) -> a readable form
static int l_readable(lua_State *L)
{
    if (!is_text(L, 1))
        return l_describe_value(L);
    luaL_tolstring(L, -1, NULL);
    return 1;
}

// A readable form of the error value at the top, even if its __tostring fails. // [-0, +1, m]
static void push_message(lua_State *L)
{
    lua_pushcfunction(L, l_readable);
    lua_pushvalue(L, -2);
    if (protect_pcall(L, 1, 1, 0, 0, NULL) == LUA_OK)
        return;
    const char *type = luaL_typename(L, -2);
    lua_pop(L, 1);
    lua_pushfstring(L, "(the error value is a %s that cannot be printed)", type);
}

// Puts the line where an error that is no text was raised in front of the text at the top: such an
// error does not name it. // [-1, +1, m]
static void add_position(lua_State *L, lua_State *thread, int level)
{
    lua_Debug ar = {.currentline = -1};
    while (ar.currentline < 0 && lua_getstack(thread, level++, &ar))
        lua_getinfo(thread, "Sl", &ar);
    if (ar.currentline < 0)
        return;
    lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
    lua_insert(L, -2);
    lua_concat(L, 2);
}

static void chop(lua_State *L, const char *tail) // [-1, +1, m]
{
    size_t length, chopped = strlen(tail);
    const char *text = lua_tolstring(L, -1, &length);
    if (length < chopped || memcmp(text + length - chopped, tail, chopped) != 0)
        return;
    lua_pushlstring(L, text, length - chopped);
    lua_remove(L, -2);
}

// Removes Lua's own frames at the bottom of a trace, and an empty trace: they tell a script author
// nothing.
static void trim_trace(lua_State *L) // [-1, +1, m]
{
    chop(L, "\n\t[C]: in ?");
    chop(L, "\nstack traceback:");
}

// Appends to the text at the top the trace of the script's own coroutine that the error at `index`
// came out of, if it did. // [-1, +1, m]
static void append_trace(lua_State *L, int index)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &trace_error);
    bool same = !lua_isnil(L, -1) && lua_rawequal(L, -1, index);
    lua_pop(L, 1);
    if (!same)
        return;
    lua_pushliteral(L, "\nin the coroutine that it came from:\n");
    lua_rawgetp(L, LUA_REGISTRYINDEX, &trace_text);
    lua_concat(L, 3);
}

void traceback_text(lua_State *L, lua_State *thread, int level)
{
    int error = lua_gettop(L);
    push_message(L);
    if (!is_text(L, error))
        add_position(L, thread, level);
    luaL_traceback(L, thread, lua_tostring(L, -1), level);
    trim_trace(L);
    append_trace(L, error);
    lua_replace(L, error);
    lua_settop(L, error);
}

// ---- coroutines of the script ----

// The trace of `failed`, behind that of the coroutine that gave it the error at `index`.
// [-0, +1, m]
static void push_trace(lua_State *L, lua_State *failed, int index)
{
    luaL_traceback(L, failed, NULL, 0);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &trace_error);
    bool inner = !lua_isnil(L, -1) && lua_rawequal(L, -1, index);
    lua_pop(L, 1);
    if (!inner)
        return;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &trace_text);
    lua_pushliteral(L, "\n");
    lua_rotate(L, -3, 2);
    lua_concat(L, 3);
}

void traceback_keep(lua_State *L, lua_State *failed, int original)
{
    luaL_checkstack(L, 6, NULL);
    push_trace(L, failed, original);
    if (lua_rawlen(L, -1) < TRACE_LIMIT)
        lua_rawsetp(L, LUA_REGISTRYINDEX, &trace_text);
    else
        lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &trace_error);
    script_of(L)->traced = true;
}

void traceback_forget(lua_State *L)
{
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &trace_error);
}
