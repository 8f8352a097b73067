// SPDX-License-Identifier: Apache-2.0
//
// The lists and the replacements: see sandbox.h. Everything that is not listed here is removed, so
// a function that a later Lua adds stays out until it is listed.

#include "script/sandbox.h"

#include "script/script_internal.h"

#include <lauxlib.h>
#include <lualib.h>

#include <string.h>

struct allowed {
    const char *library; // "_G": the globals
    const char *names;   // each between spaces
};

static const struct allowed lists[] = {
    {"_G",
     " _G _VERSION arg assert collectgarbage coroutine debug error getmetatable ipairs load math "
     "next os package pairs pcall print rawequal rawget rawlen rawset require select "
     "setmetatable string table tonumber tostring type utf8 warn xpcall "},
    {"coroutine", " close create isyieldable resume running status wrap yield "},
    {"debug", " traceback "},
    {"math",
     " abs acos asin atan ceil cos deg exp floor fmod huge log max maxinteger min mininteger "
     "modf pi rad random randomseed sin sqrt tan tointeger type ult "},
    {"os", " clock date difftime exit time "},
    {"package", " loaded path preload searchers "},
    {"string", " byte char find format gmatch gsub len lower match pack packsize rep reverse sub "
               "unpack upper "},
    {"table", " concat insert move pack remove sort unpack "},
    {"utf8", " char charpattern codepoint codes len offset "},
};

// ---- chunks ----

// Takes bytecode out of the mode of load and loadfile. // [-0, +0, m]
static void set_mode(lua_State *L, int index)
{
    if (lua_isnoneornil(L, index) || strchr(luaL_checkstring(L, index), 't') != NULL)
        lua_pushliteral(L, "t");
    else
        lua_pushliteral(L, "none");
    lua_replace(L, index);
}

// Calls the function of Lua, the first upvalue, with all the arguments. // [-n, +results, e]
static int call_original(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    protect_check(L);
    return lua_gettop(L);
}

static int l_load(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TSTRING)
        luaL_checktype(L, 1, LUA_TFUNCTION);
    if (lua_gettop(L) < 3)
        lua_settop(L, 3);
    set_mode(L, 3);
    return call_original(L);
}

static int l_loadfile(lua_State *L) // (path, mode, environment)
{
    const char *path = luaL_optstring(L, 1, NULL);
    bool environment = lua_gettop(L) >= 3;
    lua_settop(L, 3);
    set_mode(L, 2);
    if (strcmp(lua_tostring(L, 2), "t") != 0)
        return call_original(L);
    if (modules_load_file(L, path) != LUA_OK) {
        luaL_pushfail(L);
        lua_insert(L, -2);
        return 2;
    }
    if (environment) {
        lua_pushvalue(L, 3);
        if (lua_setupvalue(L, -2, 1) == NULL)
            lua_pop(L, 1);
    }
    return 1;
}

static int on_file_done(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return lua_gettop(L) - 1;
}

static int l_dofile(lua_State *L)
{
    const char *path = luaL_optstring(L, 1, NULL);
    lua_settop(L, 1);
    if (modules_load_file(L, path) != LUA_OK)
        return lua_error(L);
    lua_callk(L, 0, LUA_MULTRET, 0, on_file_done);
    return on_file_done(L, LUA_OK, 0);
}

// [-0, +0, e]
static void replace(lua_State *L, const char *name, lua_CFunction function)
{
    lua_getglobal(L, name);
    lua_pushcclosure(L, function, 1);
    lua_setglobal(L, name);
}

void sandbox_open_libraries(lua_State *L)
{
    luaL_openlibs(L);
    replace(L, "load", l_load);
    replace(L, "loadfile", l_loadfile);
    replace(L, "dofile", l_dofile);
}

// ---- restricted functions ----

static int l_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (lua_istable(L, 2)) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            luaL_error(L, "setmetatable: a finalizer (__gc) cannot be stopped, and the sandbox has "
                          "none: use a variable with <close> and __close");
        lua_pop(L, 1);
    }
    return call_original(L);
}

// The metatable of a userdata belongs to the host.
static int l_getmetatable(lua_State *L)
{
    luaL_checkany(L, 1);
    if (lua_type(L, 1) == LUA_TUSERDATA)
        return 0;
    return call_original(L);
}

static int l_collectgarbage(lua_State *L)
{
    static const char *const harmless[] = {"collect", "count", "step", "isrunning", NULL};
    const char *option = luaL_optstring(L, 1, "collect");
    for (size_t i = 0; harmless[i] != NULL; i++)
        if (strcmp(harmless[i], option) == 0)
            return call_original(L);
    return luaL_error(L,
                      "collectgarbage: the collector is the host's in the sandbox; '%s' is not "
                      "available",
                      option);
}

// ---- removing ----

static bool listed(const char *names, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = names; (at = strstr(at, name)) != NULL; at += length)
        if (at[-1] == ' ' && at[length] == ' ')
            return true;
    return false;
}

static int l_missing(lua_State *L)
{
    return luaL_error(L, "%s is not available in the sandbox (--sandbox)",
                      lua_tostring(L, lua_upvalueindex(1)));
}

void sandbox_push_missing(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    lua_pushcclosure(L, l_missing, 1);
}

bool sandbox_is_missing(lua_State *L, int index)
{
    return lua_tocfunction(L, index) == l_missing;
}

// Replaces the value at the top: a function by one that raises, anything else by nil.
// [-1, +1, m]
static void replace_value(lua_State *L, const char *library, const char *name)
{
    bool function = lua_isfunction(L, -1);
    lua_pop(L, 1);
    if (!function) {
        lua_pushnil(L);
        return;
    }
    bool global = strcmp(library, "_G") == 0;
    lua_pushfstring(L, "%s%s%s", global ? "" : library, global ? "" : ".", name);
    sandbox_push_missing(L, lua_tostring(L, -1));
    lua_remove(L, -2);
}

static const char *list_of(const char *library)
{
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (strcmp(lists[i].library, library) == 0)
            return lists[i].names;
    return " ";
}

// Keeps of the library at the top what is in its list. // [-0, +0, m]
static void prune(lua_State *L, const char *library)
{
    const char *names = list_of(library);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        bool table = strcmp(library, "_G") == 0 && lua_istable(L, -1);
        if (table || listed(names, name)) {
            lua_pop(L, 1);
            continue;
        }
        replace_value(L, library, name);
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
}

// package.loaded has all libraries, the globals among them. // [-0, +0, m]
static void prune_libraries(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        if (lua_type(L, -2) == LUA_TSTRING && lua_istable(L, -1))
            prune(L, lua_tostring(L, -2));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

// What is left are the modules of the host, the library, and Lua files. // [-0, +0, e]
static void prune_searchers(lua_State *L)
{
    enum { SEARCHERS = 3 };
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    for (lua_Integer i = (lua_Integer)lua_rawlen(L, -1); i > SEARCHERS; i--) {
        lua_pushnil(L);
        lua_rawseti(L, -2, i);
    }
    lua_pop(L, 2);
}

void sandbox_close_in(lua_State *L)
{
    replace(L, "setmetatable", l_setmetatable);
    replace(L, "getmetatable", l_getmetatable);
    replace(L, "collectgarbage", l_collectgarbage);
    prune_searchers(L);
    prune_libraries(L);
}
