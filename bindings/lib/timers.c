// SPDX-License-Identifier: Apache-2.0
//
// Timers, sleeping and spawning: see timers.h.
//
// Each of them is a userdata that holds a loop timer (userdata.h). It is in the registry under the
// address of what it holds while a call is to come or runs, on the stack of the coroutine while
// that sleeps; neither a collected userdata nor a closed script leaves a timer behind. While the
// state closes, finalizers do not run for new objects, so none is made then.

#include "bindings/lib/timers.h"

#include "base/log.h"
#include "bindings/core/dot_call.h"
#include "bindings/core/userdata.h"
#include "script/protect.h"

#include <lauxlib.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TIMER_TYPE "mesos.timer"
#define SLEEP_TYPE "mesos.sleep"

enum timer_state { TIMER_WAITING, TIMER_RUNNING, TIMER_DONE, TIMER_CANCELLED };

// What a script calls a timer. Its user value is the function.
struct timer_handle {
    struct userdata base;
    struct script *script;
    struct timer timer;
    enum timer_state state;
    uint64_t due, interval; // nanoseconds; interval 0: once
    char origin[80];        // where the script made it
};

// A routine that a timer resumes: one that sleeps, or one that was spawned.
struct pending_resume {
    struct userdata base;
    struct script *script;
    struct timer timer;
    struct routine *routine;
    char origin[80];
};

static const char *const state_names[] = {"waiting", "running", "done", "cancelled"};

// ---- arguments ----

// "-1", or "the string '2': write it without quotes". // [-0, +1, e]
static const char *what_is(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TSTRING)
        return luaL_tolstring(L, index, NULL);
    return lua_pushfstring(L, "the string '%s'%s", lua_tostring(L, index),
                           lua_isnumber(L, index) ? ": write it without quotes" : "");
}

static double check_seconds(lua_State *L, bool positive)
{
    double seconds = lua_type(L, 1) == LUA_TNUMBER ? lua_tonumber(L, 1) : NAN;
    if (isnan(seconds) || seconds < 0 || (positive && seconds <= 0))
        luaL_argerror(L, 1,
                      lua_pushfstring(L, "%s expected, got %s",
                                      positive ? "a number of seconds above 0"
                                               : "a number of seconds, 0 or more,",
                                      what_is(L, 1)));
    return seconds;
}

static struct script *check_open(lua_State *L, const char *name)
{
    struct script *script = script_of(L);
    if (script_closing(script))
        luaL_error(L, "%s: the script is being closed", name);
    return script;
}

static void note_origin(lua_State *L, char *origin, size_t size)
{
    lua_Debug ar;
    snprintf(origin, size, "?");
    if (lua_getstack(L, 1, &ar) == 0)
        return;
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline > 0)
        snprintf(origin, size, "%s:%d", ar.short_src, ar.currentline);
}

// A failure in what an operator's code left behind does not count as one of the script.
static void log_failure(struct script *script, const char *what, const char *origin,
                        const struct protect_end *end)
{
    char title[120];
    if (end->outcome != PROTECT_RAISED)
        return;
    log_error("%s of %s: %s", what, origin, end->text);
    snprintf(title, sizeof title, "%s of %s", what, origin);
    if (strncmp(origin, "eval:", 5) != 0)
        script_failed(script, title, end->text);
}

// ---- after and every ----

// The registry keeps the userdata at the top under its address. // [-0, +0, m]
static void anchor(lua_State *L, const void *key)
{
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

// Allocates nothing: the key is in the table. // [-0, +0, -]
static void release(lua_State *L, const void *key)
{
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

// The next multiple of the interval that lies in the future.
static void schedule_next(struct timer_handle *handle)
{
    uint64_t now = loop_now(handle->timer.loop);
    uint64_t missed = now > handle->due ? (now - handle->due) / handle->interval : 0;
    handle->due += (missed + 1) * handle->interval;
    handle->state = TIMER_WAITING;
    timer_start(&handle->timer, handle->due - now);
}

static void on_call_done(void *data, const struct protect_end *end)
{
    struct timer_handle *handle = data;
    log_failure(handle->script, "timer", handle->origin, end);
    bool ends = end->outcome == PROTECT_EXITED || end->outcome == PROTECT_CLOSED;
    if (handle->state == TIMER_RUNNING && handle->interval != 0 && !ends) {
        schedule_next(handle);
        return;
    }
    if (handle->state == TIMER_RUNNING)
        handle->state = TIMER_DONE;
    release(script_state(handle->script), handle);
}

static int l_timer_function(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, lua_touserdata(L, 1));
    lua_getiuservalue(L, -1, 1);
    return 1;
}

static void on_timer(void *data)
{
    struct timer_handle *handle = data;
    handle->state = TIMER_RUNNING;
    const struct title title = {.kind = "timer of", .name = handle->origin};
    protect_dispatch(handle->script, &title, l_timer_function, handle, on_call_done, handle);
}

static void end_timer(lua_State *L, struct userdata *userdata)
{
    (void)L;
    timer_stop(&((struct timer_handle *)userdata)->timer);
}

static int new_timer(lua_State *L, const char *name, bool again)
{
    struct script *script = check_open(L, name);
    double seconds = check_seconds(L, again);
    if (lua_type(L, 2) != LUA_TFUNCTION)
        luaL_argerror(L, 2,
                      lua_pushfstring(L,
                                      "function expected, got %s: give the function itself, "
                                      "without () behind it",
                                      luaL_typename(L, 2)));
    struct timer_handle *handle = userdata_push(L, TIMER_TYPE, sizeof *handle, 1, end_timer);
    handle->script = script;
    timer_init(&handle->timer, script_loop(script), on_timer, handle);
    note_origin(L, handle->origin, sizeof handle->origin);
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, -2, 1);
    anchor(L, handle);
    uint64_t delay = loop_seconds(seconds);
    handle->interval = again ? (delay > 0 ? delay : 1) : 0;
    handle->due = loop_now(handle->timer.loop) + delay;
    timer_start(&handle->timer, delay);
    return 1;
}

int l_after(lua_State *L)
{
    dot_call_check(L, "after");
    return new_timer(L, "mesos.after", false);
}

int l_every(lua_State *L)
{
    dot_call_check(L, "every");
    return new_timer(L, "mesos.every", true);
}

// A call that runs ends by itself, and on_call_done() then releases the handle.
static int l_cancel(lua_State *L)
{
    struct timer_handle *handle = userdata_check(L, 1, TIMER_TYPE);
    bool running = handle->state == TIMER_RUNNING;
    bool more = handle->state == TIMER_WAITING || (running && handle->interval != 0);
    timer_stop(&handle->timer);
    if (handle->state == TIMER_WAITING)
        release(L, handle);
    if (more)
        handle->state = TIMER_CANCELLED;
    lua_pushboolean(L, more);
    return 1;
}

static int l_timer_tostring(lua_State *L)
{
    const struct timer_handle *handle = userdata_check(L, 1, TIMER_TYPE);
    lua_pushfstring(L, "mesos.timer (%s of %s, %s)", handle->interval ? "every" : "after",
                    handle->origin, state_names[handle->state]);
    return 1;
}

// ---- sleep and spawn ----

static void end_pending(lua_State *L, struct userdata *userdata)
{
    (void)L;
    timer_stop(&((struct pending_resume *)userdata)->timer);
}

static void abandon_pending(void *data)
{
    timer_stop(&((struct pending_resume *)data)->timer);
}

static void on_pending(void *data)
{
    struct pending_resume *pending = data;
    protect_resume(pending->routine);
}

// Pushes one whose timer is not started. // [-0, +1, m]
static struct pending_resume *new_pending(lua_State *L, struct script *script)
{
    struct pending_resume *pending = userdata_push(L, SLEEP_TYPE, sizeof *pending, 0, end_pending);
    pending->script = script;
    timer_init(&pending->timer, script_loop(script), on_pending, pending);
    note_origin(L, pending->origin, sizeof pending->origin);
    return pending;
}

static int on_slept(lua_State *L, int status, lua_KContext context)
{
    (void)L;
    (void)status;
    (void)context;
    return 0;
}

int l_sleep(lua_State *L)
{
    dot_call_check(L, "sleep");
    double seconds = check_seconds(L, false);
    struct routine *routine = protect_waiter(L, "mesos.sleep");
    struct pending_resume *pending = new_pending(L, script_of(L));
    pending->routine = routine;
    timer_start(&pending->timer, loop_seconds(seconds));
    protect_waits_for(routine, abandon_pending, pending);
    return protect_wait(L, 0, on_slept);
}

static void on_spawned_done(void *data, const struct protect_end *end)
{
    struct pending_resume *pending = data;
    log_failure(pending->script, "spawned function", pending->origin, end);
    release(script_state(pending->script), pending);
}

int l_spawn(lua_State *L)
{
    dot_call_check(L, "spawn");
    struct script *script = check_open(L, "mesos.spawn");
    luaL_checktype(L, 1, LUA_TFUNCTION);
    int arguments = lua_gettop(L) - 1;
    protect_ready(L);
    struct pending_resume *pending = new_pending(L, script);
    anchor(L, pending);
    lua_insert(L, 1);
    const struct title title = {.kind = "spawned function of", .name = pending->origin};
    pending->routine = protect_prepare(L, &title, arguments, on_spawned_done, pending);
    timer_start(&pending->timer, 0);
    return 0;
}

// ---- the clock and the types ----

int l_now(lua_State *L)
{
    dot_call_check(L, "now");
    lua_pushnumber(L, loop_wall(script_loop(script_of(L))));
    return 1;
}

void timers_open(lua_State *L)
{
    userdata_type(L, TIMER_TYPE);
    lua_pushcfunction(L, l_timer_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, l_cancel);
    lua_setfield(L, -2, "cancel");
    lua_setfield(L, -2, "__index");
    userdata_type(L, SLEEP_TYPE);
    lua_pop(L, 2);
}
