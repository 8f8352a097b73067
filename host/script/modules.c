// SPDX-License-Identifier: Apache-2.0
//
// What `require` finds: the host's own modules, then Lua files beside the script, in the library
// that comes with the program, and where Lua looks by default. Files are source text, never
// bytecode, and remembered, so that a change of one can be noticed.

#include "script/sandbox.h"
#include "script/world.h"

#include <lauxlib.h>

#include <string.h>

static const char files; // registry: the list of the files that were read

void modules_add_file(lua_State *L, const char *path)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &files);
    lua_pushstring(L, path);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
}

void modules_files(struct script *script, void (*visit)(void *data, const char *path), void *data)
{
    lua_State *L = script->L;
    if (!lua_checkstack(L, 2))
        return;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &files);
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; i++) {
        visit(data, lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
}

// (name) -> the path of its file, or nil and where it was looked for. The first upvalue is
// package, the second package.searchpath.
static void find_file(lua_State *L) // [-0, +2, e]
{
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushvalue(L, 1);
    lua_getfield(L, lua_upvalueindex(1), "path");
    if (!lua_isstring(L, -1))
        luaL_error(L, "'package.path' must be a string");
    lua_call(L, 2, 2);
}

static int l_searcher(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    find_file(L);
    if (lua_isnil(L, -2))
        return 1;
    const char *path = lua_tostring(L, -2);
    sandbox_check_file(L, name, path);
    modules_add_file(L, path);
    if (luaL_loadfilex(L, path, "t") != LUA_OK)
        return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", name, path,
                          lua_tostring(L, -1));
    lua_pushstring(L, path);
    return 2;
}

static void set_searcher(lua_State *L) // [-0, +0, e]
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    lua_pushvalue(L, -2);
    lua_getfield(L, -3, "searchpath");
    lua_pushcclosure(L, l_searcher, 2);
    lua_rawseti(L, -2, 2);
    lua_pop(L, 2);
}

static void set_preload(lua_State *L, const struct script_module *modules) // [-0, +0, e]
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    for (; modules != NULL && modules->name != NULL; modules++) {
        lua_pushlightuserdata(L, modules->upvalue);
        lua_pushcclosure(L, modules->open, 1);
        lua_setfield(L, -2, modules->name);
    }
    lua_pop(L, 1);
}

void modules_open(lua_State *L, const struct script_module *modules)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &files);
    set_searcher(L);
    set_preload(L, modules);
}

// Without a folder in the script's path there is none in front of its modules either, so that
// messages name both in the same way.
void modules_set_folder(lua_State *L, const char *script)
{
    static const char library[] = MESOS_LUA_LIBRARY "/?.lua;" MESOS_LUA_LIBRARY "/?/init.lua";
    const char *slash = strrchr(script, '/');
    lua_pushlstring(L, script, slash ? (size_t)(slash - script) + 1 : 0);
    const char *folder = lua_tostring(L, -1);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "path");
    lua_pushfstring(L, "%s?.lua;%s?/init.lua;%s;%s", folder, folder, library, lua_tostring(L, -1));
    lua_setfield(L, -3, "path");
    lua_pop(L, 3);
}
