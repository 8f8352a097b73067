// SPDX-License-Identifier: Apache-2.0
//
// pcall, xpcall and the coroutine library, as in Lua but for three things. A wait (mesos.sleep)
// inside a coroutine of the script passes through it and suspends the routine below; the status of
// a coroutine that waits in this way is "normal". Nothing catches the end of the script (os.exit).
// The trace of a coroutine that fails is kept for the report of the error.

#include "script/script_internal.h"
#include "script/traceback.h"

#include <lauxlib.h>

// ---- pcall and xpcall ----

// The results, or the error, of a protected call are on the stack. // [-0, +0, e]
static int finish_call(lua_State *L, int status, lua_KContext extra)
{
    if (status == LUA_OK || status == LUA_YIELD)
        return lua_gettop(L) - (int)extra;
    protect_check(L);
    if (status == LUA_ERRMEM)
        watchdog_explain(L);
    lua_pushboolean(L, 0);
    lua_pushvalue(L, -2);
    return 2;
}

static int l_pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    int status = protect_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_call);
    return finish_call(L, status, 0);
}

// The script's handler is not asked about an end of the script. Its first upvalue is the handler.
static int l_handler(lua_State *L)
{
    if (protect_stopping(L))
        return 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

// (function, handler, arguments...) becomes: true, function, handler, function, arguments...
static int l_xpcall(lua_State *L)
{
    int count = lua_gettop(L);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, l_handler, 1);
    lua_replace(L, 2);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);
    int status = protect_pcall(L, count - 2, LUA_MULTRET, 2, 2, finish_call);
    return finish_call(L, status, 2);
}

// ---- coroutines ----

static lua_State *check_coroutine(lua_State *L)
{
    lua_State *coroutine = lua_tothread(L, 1);
    luaL_argexpected(L, coroutine, 1, "coroutine");
    return coroutine;
}

static const char *coroutine_status(lua_State *L, lua_State *coroutine)
{
    lua_Debug ar;
    if (L == coroutine)
        return "running";
    if (lua_status(coroutine) == LUA_YIELD)
        return protect_waiting(coroutine) ? "normal" : "suspended";
    if (lua_status(coroutine) != LUA_OK)
        return "dead";
    if (lua_getstack(coroutine, 0, &ar))
        return "normal";
    return lua_gettop(coroutine) == 0 ? "dead" : "suspended";
}

static int l_status(lua_State *L)
{
    lua_pushstring(L, coroutine_status(L, check_coroutine(L)));
    return 1;
}

static int l_create(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *coroutine = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, coroutine, 1);
    return 1;
}

// Why the coroutine cannot be resumed, or NULL.
static const char *unready(lua_State *L, lua_State *coroutine)
{
    const char *status = coroutine_status(L, coroutine);
    if (*status == 'd')
        return "cannot resume dead coroutine";
    return *status == 's' ? NULL : "cannot resume non-suspended coroutine";
}

// Moves the results of a coroutine, or its error, to `L`. Returns their number, or -1 for an
// error. // [-0, +results|1, e]
static int move_results(lua_State *L, lua_State *coroutine, int status, int results)
{
    bool failed = status != LUA_OK && status != LUA_YIELD;
    if (!failed && !lua_checkstack(L, results + 1)) {
        lua_pop(coroutine, results);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    lua_xmove(coroutine, L, failed ? 1 : results);
    if (status == LUA_ERRMEM)
        watchdog_explain(L);
    return failed ? -1 : results;
}

// Runs the coroutine, which has its arguments, until it has results for the script. Each wait on
// the way suspends `L` too; `k` then calls this again. Returns as move_results().
static int proceed(lua_State *L, lua_State *coroutine, int arguments, lua_KFunction k)
{
    int results = 0;
    int status = protect_coroutine(L, coroutine, arguments, &results);
    protect_check(L);
    if (status == LUA_YIELD && protect_waiting(coroutine))
        return protect_wait(L, (lua_KContext)coroutine, k);
    return move_results(L, coroutine, status, results);
}

// After a wait: pops the token and goes on.
static int continue_coroutine(lua_State *L, lua_KContext context, lua_KFunction k)
{
    lua_State *coroutine = (lua_State *)context;
    lua_pop(coroutine, 1);
    return proceed(L, coroutine, 0, k);
}

// Moves the `arguments` values at the top. False, with the reason pushed, if it cannot be resumed.
static bool give_arguments(lua_State *L, lua_State *coroutine, int arguments)
{
    const char *reason = unready(L, coroutine);
    if (reason == NULL && !lua_checkstack(coroutine, arguments))
        reason = "too many arguments to resume";
    if (reason != NULL) {
        lua_pushstring(L, reason);
        return false;
    }
    lua_xmove(L, coroutine, arguments);
    return true;
}

static int finish_resume(lua_State *L, lua_State *coroutine, int results)
{
    if (results < 0 && lua_status(coroutine) > LUA_YIELD && lua_status(coroutine) != LUA_ERRMEM)
        traceback_keep(L, coroutine, lua_gettop(L));
    int values = results < 0 ? 1 : results;
    lua_pushboolean(L, results >= 0);
    lua_insert(L, -(values + 1));
    return values + 1;
}

static int on_resume_waited(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    int results = continue_coroutine(L, context, on_resume_waited);
    return finish_resume(L, (lua_State *)context, results);
}

static int l_resume(lua_State *L)
{
    lua_State *coroutine = check_coroutine(L);
    int arguments = lua_gettop(L) - 1;
    if (!give_arguments(L, coroutine, arguments)) {
        lua_pushboolean(L, 0);
        lua_insert(L, -2);
        return 2;
    }
    int results = proceed(L, coroutine, arguments, on_resume_waited);
    return finish_resume(L, coroutine, results);
}

// Puts the position of the caller in front of the error text at the top. // [-1, +1, m]
static void add_position(lua_State *L)
{
    if (lua_type(L, -1) != LUA_TSTRING)
        return;
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
}

// The error of the coroutine is at the top.
static int raise_failure(lua_State *L, lua_State *coroutine)
{
    int status = lua_status(coroutine), original = lua_gettop(L);
    bool failed = status != LUA_OK && status != LUA_YIELD;
    lua_pushvalue(L, original);
    if (status != LUA_ERRMEM)
        add_position(L);
    if (!failed)
        return lua_error(L);
    if (status != LUA_ERRMEM)
        traceback_keep(L, coroutine, original);
    if (protect_coroutine_close(L, coroutine) != LUA_OK && status != LUA_ERRMEM)
        lua_settop(coroutine, 0);
    protect_check(L);
    return lua_error(L);
}

static int on_wrap_waited(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    int results = continue_coroutine(L, context, on_wrap_waited);
    return results >= 0 ? results : raise_failure(L, (lua_State *)context);
}

static int l_wrapped(lua_State *L)
{
    lua_State *coroutine = lua_tothread(L, lua_upvalueindex(1));
    int arguments = lua_gettop(L), results = -1;
    if (give_arguments(L, coroutine, arguments))
        results = proceed(L, coroutine, arguments, on_wrap_waited);
    return results >= 0 ? results : raise_failure(L, coroutine);
}

static int l_wrap(lua_State *L)
{
    l_create(L);
    lua_pushcclosure(L, l_wrapped, 1);
    return 1;
}

static int l_yield(lua_State *L)
{
    if (!protect_in_coroutine(L))
        return luaL_error(L, "attempt to yield from outside a coroutine: a callback waits with "
                             "mesos.sleep(seconds), and mesos.spawn(f) lets f run beside it");
    return lua_yield(L, lua_gettop(L));
}

static int l_isyieldable(lua_State *L)
{
    lua_State *coroutine = lua_isnone(L, 1) ? L : check_coroutine(L);
    lua_pushboolean(L, lua_isyieldable(coroutine) && protect_in_coroutine(coroutine));
    return 1;
}

static int l_close(lua_State *L)
{
    lua_State *coroutine = check_coroutine(L);
    const char *status = coroutine_status(L, coroutine);
    if (*status == 'n' || *status == 'r')
        return luaL_error(L, "cannot close a %s coroutine", status);
    int result = protect_coroutine_close(L, coroutine);
    protect_check(L);
    lua_pushboolean(L, result == LUA_OK);
    if (result == LUA_OK)
        return 1;
    lua_xmove(coroutine, L, 1);
    return 2;
}

void coroutines_open(lua_State *L)
{
    static const luaL_Reg calls[] = {{"pcall", l_pcall}, {"xpcall", l_xpcall}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"create", l_create}, {"resume", l_resume}, {"wrap", l_wrap},
        {"yield", l_yield},   {"status", l_status}, {"isyieldable", l_isyieldable},
        {"close", l_close},   {NULL, NULL},
    };
    lua_pushglobaltable(L);
    luaL_setfuncs(L, calls, 0);
    lua_getfield(L, -1, "coroutine");
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 2);
}
