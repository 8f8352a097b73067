// SPDX-License-Identifier: Apache-2.0
//
// mesos.log.LEVEL(format, ...). A line below the level of the log costs one comparison: nothing
// is formatted, and no __tostring is called. A bad format raises at the line that gave it.

#include "bindings/lib/logging.h"

#include "base/log.h"
#include "bindings/core/dot_call.h"
#include "script/protect.h"

#include <lauxlib.h>

#include <string.h>

// Raises the error of string.format, at the top, in the name of the function that the script
// called. // [-1, +0, e]
static int raise_format_error(lua_State *L, enum log_level level)
{
    protect_check(L);
    if (lua_type(L, -1) != LUA_TSTRING)
        return lua_error(L);
    const char *name = lua_pushfstring(L, "'mesos.log.%s'", log_level_name(level));
    const char *text = luaL_gsub(L, lua_tostring(L, -2), "'format'", name);
    text = luaL_gsub(L, text, "'string.format'", name);
    return luaL_error(L, "%s", text);
}

// The upvalues are string.format and the level.
static int l_log(lua_State *L)
{
    enum log_level level = (enum log_level)lua_tointeger(L, lua_upvalueindex(2));
    dot_call_check(L, log_level_name(level));
    luaL_checkstring(L, 1);
    if (level < log_get_level())
        return 0;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    if (protect_pcall(L, lua_gettop(L) - 1, 1, 0, 0, NULL) != LUA_OK)
        return raise_format_error(L, level);
    log_write(level, "%s", lua_tostring(L, -1));
    return 0;
}

static int l_call(lua_State *L)
{
    return luaL_error(L,
                      "mesos.log is no function: write mesos.log.info(...), or debug, warning or "
                      "error");
}

void logging_push(lua_State *L)
{
    static const enum log_level levels[] = {LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR};
    lua_newtable(L); // log
    dot_call_library(L, "mesos.log");
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        lua_getglobal(L, "string");    // log, string
        lua_getfield(L, -1, "format"); // log, string, format
        lua_remove(L, -2);             // log, format
        lua_pushinteger(L, levels[i]); // log, format, level
        lua_pushcclosure(L, l_log, 2); // log, l_log
        lua_setfield(L, -2, log_level_name(levels[i]));
    }
    lua_createtable(L, 0, 1); // log, metatable
    lua_pushcfunction(L, l_call);
    lua_setfield(L, -2, "__call");
    lua_setmetatable(L, -2);
}
