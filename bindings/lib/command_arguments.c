// SPDX-License-Identifier: Apache-2.0
//
// What a script says of a program that it starts: see command_arguments.h.

#include "bindings/lib/command_arguments.h"

#include <lauxlib.h>
#include <string.h>
#include <unistd.h>

// A list of C strings, ended by NULL, in a userdata that keeps their Lua strings.
struct texts {
    const char **list;
    size_t count, capacity;
};

static struct texts new_texts(lua_State *L, size_t capacity) // [-0, +1, m]
{
    struct texts texts = {.capacity = capacity};
    texts.list = lua_newuserdatauv(L, (capacity + 1) * sizeof *texts.list, 1);
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    texts.list[0] = NULL;
    return texts;
}

// Takes the string at the top into the texts at `index`. // [-1, +0, m]
static void add_text(lua_State *L, int index, struct texts *texts)
{
    texts->list[texts->count++] = lua_tostring(L, -1);
    texts->list[texts->count] = NULL;
    lua_getiuservalue(L, index, 1);                // text, texts
    lua_insert(L, -2);                             // texts, text
    lua_rawseti(L, -2, (lua_Integer)texts->count); // texts
    lua_pop(L, 1);
}

static void check_word(lua_State *L, const char *name, lua_Integer place) // [-0, +0, e]
{
    int type = lua_type(L, -1);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
        luaL_error(L, "%s[%I]: a text expected, got %s", name, (LUAI_UACINT)place,
                   luaL_typename(L, -1));
    if (strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
        luaL_error(L, "%s[%I]: contains a zero byte", name, (LUAI_UACINT)place);
}

const char **command_arguments_argv(lua_State *L, const char *function)
{
    if (lua_type(L, 1) != LUA_TTABLE)
        luaL_error(
            L,
            "%s: a list of the program and its arguments expected, such as { 'ls', '-l' } or "
            "{ 'sh', '-c', text }, got %s",
            function, luaL_typename(L, 1));
    lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
    if (count == 0)
        luaL_error(L, "%s: the list of the program and its arguments is empty", function);
    struct texts texts = new_texts(L, (size_t)count);
    int index = lua_gettop(L);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, 1, i);
        check_word(L, "argv", i);
        add_text(L, index, &texts);
    }
    return texts.list;
}

// True if the table at `index` sets or removes that variable of the host. // [-0, +0, -]
static bool is_given(lua_State *L, int index, const char *variable)
{
    const char *end = strchr(variable, '=');
    lua_pushlstring(L, variable, end ? (size_t)(end - variable) : strlen(variable));
    bool given = lua_rawget(L, index) != LUA_TNIL;
    lua_pop(L, 1);
    return given;
}

static void push_variable(lua_State *L) // (name, value) [-0, +1, e]
{
    if (lua_type(L, -2) != LUA_TSTRING || strchr(lua_tostring(L, -2), '=') != NULL)
        luaL_error(L, "env: names of variables expected as keys, got %s",
                   luaL_tolstring(L, -2, NULL));
    int type = lua_type(L, -1);
    const char *name = lua_tostring(L, -2);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
        luaL_error(L, "env.%s: a text, or false to take it away, expected, got %s", name,
                   luaL_typename(L, -1));
    lua_pushvalue(L, -1);
    lua_pushfstring(L, "%s=%s", name, lua_tostring(L, -1));
    lua_remove(L, -2);
}

static size_t count_environment(lua_State *L, int index) // [-0, +0, e]
{
    size_t count = 0;
    while (environ[count] != NULL)
        count++;
    lua_pushnil(L);
    for (; lua_next(L, index) != 0; lua_pop(L, 1))
        count++;
    return count;
}

const char **command_arguments_environment(lua_State *L)
{
    int type = lua_getfield(L, 2, "env");
    if (type == LUA_TNIL) {
        lua_pushnil(L);
        return NULL;
    }
    if (type != LUA_TTABLE)
        luaL_error(L, "env: a table of variables expected, got %s", luaL_typename(L, -1));
    int env = lua_gettop(L);
    struct texts texts = new_texts(L, count_environment(L, env));
    for (size_t i = 0; environ[i] != NULL; i++)
        if (!is_given(L, env, environ[i])) {
            lua_pushstring(L, environ[i]);
            add_text(L, env + 1, &texts);
        }
    lua_pushnil(L);
    for (; lua_next(L, env) != 0; lua_pop(L, 1)) {
        if (lua_isboolean(L, -1) && !lua_toboolean(L, -1))
            continue;
        push_variable(L);
        add_text(L, env + 1, &texts);
    }
    return texts.list;
}

struct slice command_arguments_input(lua_State *L)
{
    size_t length = 0;
    int type = lua_getfield(L, 2, "stdin");
    if (type == LUA_TNIL)
        return (struct slice){.data = NULL};
    if (type != LUA_TSTRING)
        luaL_error(L, "stdin: a text expected, got %s", luaL_typename(L, -1));
    const char *text = lua_tolstring(L, -1, &length);
    return (struct slice){.data = (const uint8_t *)text, .length = length};
}
