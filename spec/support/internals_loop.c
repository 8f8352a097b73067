// SPDX-License-Identifier: Apache-2.0
//
// The virtual loop seen from Lua. The loop is a userdata; each timer or deferral is a userdata that
// stays anchored in the loop's user value while it is waiting, so that neither can be collected
// under the loop's feet.

#include "internals.h"

#include "loop/loop_virtual.h"

#include <lauxlib.h>

#define LOOP "internals.loop"
#define WAIT "internals.wait"

struct box {
    struct loop *loop;
    lua_State *L; // in which l_advance() runs, while it does
};

// One waiting function. Its user value 1 is the function, 2 the loop's userdata.
struct wait {
    struct box *box;
    struct timer timer;
    struct deferral deferral;
};

// The frame of l_advance(), in which callbacks are made.
enum { ADVANCE_WAITS = 3, ADVANCE_ERROR = 4 };

static struct box *check_box(lua_State *L)
{
    struct box *box = luaL_checkudata(L, 1, LOOP);
    luaL_argcheck(L, box->loop != NULL, 1, "the loop was destroyed");
    return box;
}

// Anchors the wait at `index` in the loop at `loop` while it waits. // [-0, +0, m]
static void anchor(lua_State *L, int loop, int index, struct wait *wait)
{
    index = lua_absindex(L, index);
    lua_getiuservalue(L, loop, 1);
    lua_pushvalue(L, index);
    lua_rawsetp(L, -2, wait);
    lua_pop(L, 1);
}

// Lets go of a wait in the table at `waits`. // [-0, +0, -]
static void release(lua_State *L, int waits, struct wait *wait)
{
    waits = lua_absindex(L, waits);
    lua_pushnil(L);
    lua_rawsetp(L, waits, wait);
}

static bool waiting(const struct wait *wait)
{
    return timer_active(&wait->timer) || wait->deferral.queued;
}

static void on_wait(void *data)
{
    struct wait *wait = data;
    lua_State *L = wait->box->L;
    lua_rawgetp(L, ADVANCE_WAITS, wait);
    lua_getiuservalue(L, -1, 1);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK)
        lua_replace(L, ADVANCE_ERROR);
    if (!waiting(wait))
        release(L, ADVANCE_WAITS, wait);
    lua_pop(L, 1);
}

// internals.virtual_loop([wall]) -> loop
static int l_virtual_loop(lua_State *L)
{
    double wall = luaL_optnumber(L, 1, 0);
    struct box *box = lua_newuserdatauv(L, sizeof *box, 1);
    *box = (struct box){.loop = NULL};
    luaL_setmetatable(L, LOOP);
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    box->loop = loop_virtual_create(wall);
    return 1;
}

static struct wait *push_wait(lua_State *L, struct box *box, int function)
{
    luaL_checktype(L, function, LUA_TFUNCTION);
    struct wait *wait = lua_newuserdatauv(L, sizeof *wait, 2);
    wait->box = box;
    timer_init(&wait->timer, box->loop, on_wait, wait);
    deferral_init(&wait->deferral, box->loop, on_wait, wait);
    luaL_setmetatable(L, WAIT);
    lua_pushvalue(L, function);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 2);
    anchor(L, 1, -1, wait);
    return wait;
}

// loop:after(seconds, fn) -> wait
static int l_after(lua_State *L)
{
    struct box *box = check_box(L);
    double seconds = luaL_checknumber(L, 2);
    struct wait *wait = push_wait(L, box, 3);
    timer_start(&wait->timer, loop_seconds(seconds));
    return 1;
}

// loop:defer(fn) -> wait
static int l_defer(lua_State *L)
{
    struct wait *wait = push_wait(L, check_box(L), 2);
    deferral_queue(&wait->deferral);
    return 1;
}

// loop:advance(seconds); raises what a function raised last.
static int l_advance(lua_State *L)
{
    struct box *box = check_box(L);
    uint64_t duration = loop_seconds(luaL_checknumber(L, 2));
    lua_settop(L, 2);
    lua_getiuservalue(L, 1, 1); // ADVANCE_WAITS
    lua_pushnil(L);             // ADVANCE_ERROR
    lua_State *outer = box->L;
    box->L = L;
    loop_virtual_advance(box->loop, duration);
    box->L = outer;
    return lua_isnil(L, ADVANCE_ERROR) ? 0 : lua_error(L);
}

static int l_now(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)loop_now(check_box(L)->loop));
    return 1;
}

static int l_wall(lua_State *L)
{
    lua_pushnumber(L, loop_wall(check_box(L)->loop));
    return 1;
}

// loop:due() -> nanoseconds, or nil when nothing waits
static int l_due(lua_State *L)
{
    uint64_t due = loop_due(check_box(L)->loop);
    if (due == LOOP_NEVER)
        return 0;
    lua_pushinteger(L, (lua_Integer)due);
    return 1;
}

static void stop(struct wait *wait)
{
    timer_stop(&wait->timer);
    deferral_cancel(&wait->deferral);
}

static int l_loop_gc(lua_State *L)
{
    struct box *box = luaL_checkudata(L, 1, LOOP);
    if (box->loop == NULL)
        return 0;
    lua_getiuservalue(L, 1, 1);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
        stop(lua_touserdata(L, -1));
    loop_destroy(box->loop);
    box->loop = NULL;
    return 0;
}

static struct wait *check_wait(lua_State *L)
{
    struct wait *wait = luaL_checkudata(L, 1, WAIT);
    lua_getiuservalue(L, 1, 2);
    struct box *box = lua_touserdata(L, -1);
    luaL_argcheck(L, box->loop != NULL, 1, "its loop was destroyed");
    return wait;
}

// wait:cancel()
static int l_cancel(lua_State *L)
{
    struct wait *wait = check_wait(L);
    stop(wait);
    lua_getiuservalue(L, -1, 1);
    release(L, -1, wait);
    return 0;
}

// wait:restart(seconds)
static int l_restart(lua_State *L)
{
    struct wait *wait = check_wait(L);
    anchor(L, lua_gettop(L), 1, wait);
    timer_start(&wait->timer, loop_seconds(luaL_checknumber(L, 2)));
    return 0;
}

// wait:restart_at(seconds), of the loop's clock
static int l_restart_at(lua_State *L)
{
    struct wait *wait = check_wait(L);
    anchor(L, lua_gettop(L), 1, wait);
    timer_start_at(&wait->timer, loop_seconds(luaL_checknumber(L, 2)));
    return 0;
}

static int l_queue(lua_State *L)
{
    struct wait *wait = check_wait(L);
    anchor(L, lua_gettop(L), 1, wait);
    deferral_queue(&wait->deferral);
    return 0;
}

static int l_active(lua_State *L)
{
    struct wait *wait = check_wait(L);
    lua_pushboolean(L, waiting(wait));
    return 1;
}

// internals.seconds(number) -> nanoseconds as a timer would wait
static int l_seconds(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)loop_seconds(luaL_checknumber(L, 1)));
    return 1;
}

static const luaL_Reg loop_methods[] = {
    {"after", l_after}, {"defer", l_defer}, {"advance", l_advance}, {"now", l_now},
    {"wall", l_wall},   {"due", l_due},     {"__gc", l_loop_gc},    {NULL, NULL},
};

static const luaL_Reg wait_methods[] = {
    {"cancel", l_cancel}, {"restart", l_restart}, {"restart_at", l_restart_at},
    {"queue", l_queue},   {"active", l_active},   {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"virtual_loop", l_virtual_loop},
    {"seconds", l_seconds},
    {NULL, NULL},
};

static void define(lua_State *L, const char *name, const luaL_Reg *methods)
{
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

void internals_loop_open(lua_State *L)
{
    define(L, LOOP, loop_methods);
    define(L, WAIT, wait_methods);
    luaL_setfuncs(L, functions, 0);
}
