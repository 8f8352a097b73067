// SPDX-License-Identifier: Apache-2.0
//
// What the simulator asks the system: see system.h.

#include "bindings/sim/system.h"

#include <lauxlib.h>

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_MODE = 0777 };

static int push_failure(lua_State *L, int fault) // [-0, +2, m]
{
    luaL_pushfail(L);
    lua_pushstring(L, strerror(fault));
    return 2;
}

static int l_kind(lua_State *L) // [-1, +1|2, e]
{
    struct stat status;
    if (stat(luaL_checkstring(L, 1), &status) != 0)
        return push_failure(L, errno);
    lua_pushstring(L, S_ISREG(status.st_mode)   ? "file"
                      : S_ISDIR(status.st_mode) ? "folder"
                                                : "other");
    return 1;
}

static int l_resolve(lua_State *L) // [-1, +1|2, e]
{
    char path[PATH_MAX];
    if (realpath(luaL_checkstring(L, 1), path) == NULL)
        return push_failure(L, errno);
    lua_pushstring(L, path);
    return 1;
}

static int l_make_folder(lua_State *L) // [-1, +1|2, e]
{
    struct stat status;
    const char *path = luaL_checkstring(L, 1);
    if (mkdir(path, FOLDER_MODE) != 0 && errno != EEXIST)
        return push_failure(L, errno);
    if (stat(path, &status) != 0)
        return push_failure(L, errno);
    if (!S_ISDIR(status.st_mode))
        return push_failure(L, ENOTDIR);
    lua_pushboolean(L, true);
    return 1;
}

static int l_processors(lua_State *L) // [-0, +1, m]
{
    cpu_set_t set;
    lua_pushinteger(L, sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1);
    return 1;
}

static int l_pid(lua_State *L) // [-0, +1, -]
{
    lua_pushinteger(L, (lua_Integer)getpid());
    return 1;
}

int system_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"kind", l_kind},
        {"resolve", l_resolve},
        {"make_folder", l_make_folder},
        {"processors", l_processors},
        {"pid", l_pid},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
