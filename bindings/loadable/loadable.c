// SPDX-License-Identifier: Apache-2.0
//
// The module as a shared library: see loadable.h. One userdata in the registry owns the host. It is
// made before all other objects of the module, so Lua finalizes it behind them.

#include "bindings/loadable/loadable.h"

#include "app/host.h"
#include "base/log.h"
#include "base/memory.h"
#include "bindings/module.h"
#include "bindings/scheduler/scheduler.h"
#include "bindings/testing/testing.h"
#include "loop/spawner.h"
#include "script/library.h"
#include "script/script.h"

#include <lauxlib.h>

#include <stdlib.h>

static const char registry_key; // the userdata

struct loadable {
    struct options *options; // NULL: nothing is there yet, or it has ended
    struct host *host;
    struct script *script;
    struct scheduler_environment *environment;
};

static int l_end(lua_State *L) // [-1, +0, -]
{
    struct loadable *loadable = lua_touserdata(L, 1);
    if (loadable->options == NULL)
        return 0;
    struct options *options = loadable->options;
    loadable->options = NULL;
    scheduler_forget(loadable->environment, loadable->script);
    script_detach(loadable->script);
    if (host_busy(loadable->host)) {
        spawner_kill_all(); // the process ends inside of driver:run()
        return 0;
    }
    host_destroy(loadable->host);
    free(options);
    return 0;
}

static void *keep(lua_State *L) // [-0, +0, m]
{
    struct loadable *loadable = lua_newuserdatauv(L, sizeof *loadable, 0);
    *loadable = (struct loadable){.options = NULL};
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, l_end);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_key);
    return loadable;
}

// arg[0], as lua5.4 sets it; the name of a framework that has none comes from it. // [-0, +1, e]
static const char *push_program(lua_State *L)
{
    if (lua_getglobal(L, "arg") == LUA_TTABLE) {
        lua_rawgeti(L, -1, 0);
        lua_remove(L, -2);
    }
    if (lua_type(L, -1) != LUA_TSTRING) {
        lua_pop(L, 1);
        lua_pushliteral(L, "lua");
    }
    return lua_tostring(L, -1);
}

static struct options *read_options(lua_State *L) // [-0, +0, v]
{
    struct error err = {0};
    struct options *options = memory_new(sizeof *options);
    if (options_init(options, true, &err)) {
        log_set_level(options->log_level);
        return options;
    }
    free(options);
    luaL_error(L, "mesos: %s", err.text);
    return NULL;
}

// No Lua error can be raised between the options and the script.
static void set_up(lua_State *L, struct loadable *loadable) // [-0, +0, e]
{
    const char *program = push_program(L);
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    loadable->options = read_options(L);
    const struct host_settings host = {.options = loadable->options, .guest = true};
    loadable->host = host_create(&host);
    const struct script_settings settings = {.loop = host_loop(loadable->host)};
    loadable->script = script_attach(L, &settings, program);
    loadable->environment = host_attach(loadable->host, loadable->script);
    lua_pop(L, 1);
}

static void preload(lua_State *L) // [-0, +0, e]
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, testing_open);
    lua_setfield(L, -2, "mesos.testing.core");
    lua_pop(L, 1);
    library_open(L);
}

int luaopen_mesos(lua_State *L)
{
    bool again = lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_key) != LUA_TNIL;
    struct loadable *loadable = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (!again) {
        loadable = keep(L);
        set_up(L, loadable);
        preload(L);
    }
    if (loadable->options == NULL)
        return luaL_error(L, "the module mesos could not be loaded before, or has ended");
    lua_pushlightuserdata(L, loadable->environment);
    lua_pushcclosure(L, module_open, 1);
    lua_pushliteral(L, "mesos");
    lua_call(L, 1, 1);
    return 1;
}

int loadable_open_library(lua_State *L)
{
    const struct library_file *file = library_find(luaL_checkstring(L, 1));
    lua_settop(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "mesos");
    lua_call(L, 1, 0);
    if (file == NULL)
        return luaL_error(L, "no module '%s' in the library", lua_tostring(L, 1));
    if (luaL_loadbufferx(L, file->text, file->length, file->chunk, "t") != LUA_OK)
        return lua_error(L);
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}
