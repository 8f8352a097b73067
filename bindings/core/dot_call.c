// SPDX-License-Identifier: Apache-2.0
//
// Libraries and their names: see dot_call.h.

#include "bindings/core/dot_call.h"

#include <lauxlib.h>

static const char libraries[] = "mesos.libraries"; // registry: table of a library -> its name

void dot_call_library(lua_State *L, const char *name)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, libraries); // library, libraries
    lua_pushvalue(L, -2);                              // library, libraries, library
    lua_pushstring(L, name);                           // library, libraries, library, name
    lua_rawset(L, -3);                                 // library, libraries
    lua_pop(L, 1);
}

void dot_call_check_table(lua_State *L, const char *function)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, libraries);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, -2) == LUA_TSTRING)
        luaL_error(L, "%s.%s is called with a dot, not a colon: write %s.%s(...)",
                   lua_tostring(L, -1), function, lua_tostring(L, -1), function);
    lua_pop(L, 2);
}
