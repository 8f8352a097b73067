// SPDX-License-Identifier: Apache-2.0
//
// The searcher of the library: see library.h. A chunk whose name begins with '=' has no file for
// Lua, so code of the library counts as the script's own where strict globals are concerned
// (strict_globals.c).

#include "script/library.h"

#include "base/suggest.h"

#include <lauxlib.h>

#include <stdbool.h>
#include <string.h>

static const char prefix[] = "mesos.";

const struct library_file *library_find(const char *module)
{
    for (const struct library_file *file = library_files; file->module != NULL; file++)
        if (strcmp(file->module, module) == 0)
            return file;
    return NULL;
}

static const char *name_at(const void *data, size_t index)
{
    (void)data;
    const char *module = library_files[index].module;
    return module ? module + strlen(prefix) : NULL;
}

const char *library_nearest(const char *name)
{
    bool whole = strncmp(name, prefix, strlen(prefix)) == 0;
    const char *near = suggest(whole ? name + strlen(prefix) : name, name_at, NULL);
    return near ? near - strlen(prefix) : NULL;
}

// Tells of a module whose name begins as those of the library do. // [-0, +1|0, m]
static int push_missing(lua_State *L, const char *name)
{
    if (strncmp(name, prefix, strlen(prefix)) != 0)
        return 0;
    const char *near = library_nearest(name);
    lua_pushfstring(L, "no module '%s' in the library%s%s%s", name, near ? " (did you mean '" : "",
                    near ? near : "", near ? "'?)" : "");
    return 1;
}

static int l_searcher(lua_State *L) // (name) -> the module's chunk and its name, or a text
{
    const char *name = luaL_checkstring(L, 1);
    const struct library_file *file = library_find(name);
    if (file == NULL)
        return push_missing(L, name);
    if (luaL_loadbufferx(L, file->text, file->length, file->chunk, "t") != LUA_OK)
        return lua_error(L);
    lua_pushstring(L, file->chunk + 1);
    return 2;
}

void library_open(lua_State *L)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    for (lua_Integer i = (lua_Integer)lua_rawlen(L, -1); i >= 2; i--) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushcfunction(L, l_searcher);
    lua_rawseti(L, -2, 2);
    lua_pop(L, 2);
}
