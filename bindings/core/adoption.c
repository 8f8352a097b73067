// SPDX-License-Identifier: Apache-2.0
//
// Looking at a table of callbacks: see adoption.h.

#include "bindings/core/adoption.h"

#include "bindings/core/hints.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

struct callback_table {
    suggest_name name;
    void (*warn)(void *data, const char *text);
    void *data;
};

static void check_name(const struct callback_table *table, const char *word)
{
    char text[256];
    const char *near = hints_near(word, table->name, NULL);
    if (near == NULL || strcmp(near, word) == 0)
        return;
    snprintf(text, sizeof text, "no callback '%s'; did you mean '%s'?", word, near);
    table->warn(table->data, text);
}

// The name of a callback may stand for something else.
static void check_type(const struct callback_table *table, const char *word, const char *type)
{
    char text[256];
    const char *name;
    size_t i = 0;
    while ((name = table->name(NULL, i)) != NULL && strcmp(name, word) != 0)
        i++;
    if (name == NULL)
        return;
    snprintf(text, sizeof text, "%s is no callback: a function expected, got %s", word, type);
    table->warn(table->data, text);
}

void adoption_check_names(lua_State *L, int index, suggest_name name,
                          void (*warn)(void *data, const char *text), void *data)
{
    const struct callback_table table = {.name = name, .warn = warn, .data = data};
    lua_pushnil(L);
    while (lua_next(L, index)) {
        if (lua_type(L, -2) == LUA_TSTRING && lua_isfunction(L, -1))
            check_name(&table, lua_tostring(L, -2));
        else if (lua_type(L, -2) == LUA_TSTRING)
            check_type(&table, lua_tostring(L, -2), luaL_typename(L, -1));
        lua_pop(L, 1);
    }
}

void adoption_load_module(lua_State *L, const char *name)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);      // loaded
    if (lua_getfield(L, -1, name) == LUA_TNIL) {                   // loaded, module
        luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE); // loaded, nil, preload
        lua_getfield(L, -1, name);                                 // loaded, nil, preload, loader
        lua_pushstring(L, name);
        lua_call(L, 1, 1);         // loaded, nil, preload, module
        lua_setfield(L, -4, name); // loaded, nil, preload
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
}
