// SPDX-License-Identifier: Apache-2.0
//
// A script in the Lua state of another program: see script_attach(). The registry says which script
// a state belongs to; its extra space says so as well, for the main thread and for the coroutines
// that are made from then on, but only the registry is sure.

#include "script/protect.h"
#include "script/script_internal.h"

#include <lauxlib.h>

static const char registry_key; // the script; false: it was detached

bool script_any_attached;

void script_register(lua_State *L, struct script *script)
{
    if (script != NULL)
        lua_pushlightuserdata(L, script);
    else
        lua_pushboolean(L, false);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_key);
}

struct script *script_find(lua_State *L, struct script *found)
{
    int type = lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_key);
    struct script *script = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (type == LUA_TBOOLEAN)
        luaL_error(L, "the module mesos has ended with this Lua state");
    return script ? script : found; // a state that is being made has no entry yet
}

static lua_State *main_thread(lua_State *L) // [-0, +0, -]
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    lua_State *main = lua_tothread(L, -1);
    lua_pop(L, 1);
    return main;
}

struct script *script_attach(lua_State *L, const struct script_settings *settings, const char *path)
{
    lua_State *main = main_thread(L);
    struct script *script = script_new(settings);
    script->attached = true;
    script->L = main;
    script_set_path(script, path);
    *(struct script **)lua_getextraspace(main) = script;
    *(struct script **)lua_getextraspace(L) = script;
    script_any_attached = true;
    script_register(L, script);
    protect_attach(script);
    return script;
}

void script_detach(struct script *script)
{
    if (script->detached)
        return;
    script->detached = script->closing = true;
    if (script->frame == &script->base) {
        script_close_all(script);
        protect_detach(script);
    }
    script_register(script->L, NULL);
}
