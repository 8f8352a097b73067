// SPDX-License-Identifier: Apache-2.0
//
// Access to a framework in this process, and to its fault injection.
//
//     internals.world{ sandbox =, memory_limit =, callback_limit =, real =, hash_seed = }
//         -> world
//     world:load(text) -> true | nil, message       world:start()
//     world:event(bytes)      world:break_stream()  world:pass(seconds[, turns])
//     world:settle(seconds) lets time pass until no callback waits
//     world:reload(text) -> true | nil, message     world:eval(code) -> what it said
//     world:save() -> bytes | nil, message          world:restore(bytes) -> true | nil, message
//     world:calls() -> list of bytes                world:offers() -> how many are outstanding
//     world:failed(callback) -> how many raised     world:ended() -> did the script ask for it?
//     world:close()                                 internals.log() -> what was logged since the
//     last time internals.hardship(text | nil)        internals.hardship_report() -> requests,
//     refused, raised, bytes

#include "internals.h"

#include "base/log.h"
#include "fault_injection.h"
#include "mesos/driver.h"
#include "world.h"

#include <lauxlib.h>

#include <string.h>

#define WORLD_TYPE "internals.world"

enum { TURNS = 1000, TEXT_MOST = 1 << 20 };

// What is logged while there is a world.
static struct buffer logged;

static void on_line(void *data, enum log_level level, const char *text)
{
    (void)data, (void)level;
    buffer_append_text(&logged, text);
    buffer_append_text(&logged, "\n");
}

static struct world **at(lua_State *L)
{
    return luaL_checkudata(L, 1, WORLD_TYPE);
}

static struct world *check(lua_State *L)
{
    struct world *world = *at(L);
    if (world == NULL)
        luaL_error(L, "this world has ended");
    return world;
}

static struct slice check_bytes(lua_State *L, int index)
{
    struct slice bytes;
    bytes.data = (const uint8_t *)luaL_checklstring(L, index, &bytes.length);
    return bytes;
}

static int push_outcome(lua_State *L, bool good, const struct error *err)
{
    lua_pushboolean(L, good);
    lua_pushstring(L, good ? NULL : err->text);
    return 2;
}

static int l_world(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_getfield(L, 1, "memory_limit");
    lua_getfield(L, 1, "callback_limit");
    lua_getfield(L, 1, "sandbox");
    lua_getfield(L, 1, "real");
    lua_getfield(L, 1, "hash_seed");
    const struct world_settings settings = {.memory_limit = (size_t)luaL_optinteger(L, 2, 0),
                                            .callback_limit = luaL_optnumber(L, 3, 0),
                                            .sandbox = lua_toboolean(L, 4),
                                            .real = lua_toboolean(L, 5),
                                            .hash_seed = (uint32_t)luaL_optinteger(L, 6, 0)};
    struct world **world = lua_newuserdatauv(L, sizeof(struct world *), 0);
    *world = NULL;
    luaL_setmetatable(L, WORLD_TYPE);
    log_set_sink(on_line, NULL);
    *world = world_create(&settings);
    return 1;
}

static int l_close(lua_State *L)
{
    struct world **world = at(L);
    if (*world == NULL)
        return 0;
    world_destroy(*world);
    *world = NULL;
    log_set_sink(NULL, NULL);
    return 0;
}

static int l_log(lua_State *L)
{
    lua_pushlstring(L, buffer_string(&logged), logged.length);
    buffer_free(&logged);
    buffer_init(&logged, TEXT_MOST);
    return 1;
}

static int l_load(lua_State *L)
{
    struct error err = {0};
    return push_outcome(L, world_load(check(L), check_bytes(L, 2), &err), &err);
}

static int l_start(lua_State *L)
{
    world_start(check(L));
    return 0;
}

static int l_event(lua_State *L)
{
    world_event(check(L), check_bytes(L, 2));
    return 0;
}

static int l_break_stream(lua_State *L)
{
    world_break(check(L));
    return 0;
}

static int l_pass(lua_State *L)
{
    world_pass(check(L), luaL_checknumber(L, 2), (unsigned)luaL_optinteger(L, 3, TURNS));
    return 0;
}

static int l_settle(lua_State *L)
{
    world_settle(check(L), luaL_checknumber(L, 2));
    return 0;
}

static int l_reload(lua_State *L)
{
    struct error err = {0};
    return push_outcome(L, world_reload(check(L), check_bytes(L, 2), &err), &err);
}

static int push_buffer(lua_State *L, struct buffer *buffer)
{
    lua_pushlstring(L, buffer_string(buffer), buffer->length);
    buffer_free(buffer);
    return 1;
}

static int l_eval(lua_State *L)
{
    struct buffer told;
    struct world *world = check(L);
    struct slice code = check_bytes(L, 2);
    buffer_init(&told, TEXT_MOST);
    world_eval(world, code, &told);
    return push_buffer(L, &told);
}

static int l_save(lua_State *L)
{
    struct buffer out;
    struct error err = {0};
    struct world *world = check(L);
    buffer_init(&out, TEXT_MOST);
    if (world_save(world, &out, &err))
        return push_buffer(L, &out);
    buffer_free(&out);
    lua_pushnil(L);
    lua_pushstring(L, err.text);
    return 2;
}

static int l_restore(lua_State *L)
{
    struct error err = {0};
    return push_outcome(L, world_restore(check(L), check_bytes(L, 2), &err), &err);
}

static int l_calls(lua_State *L)
{
    struct world *world = check(L);
    lua_newtable(L);
    for (struct bytes *call; (call = world_call(world)) != NULL;) {
        lua_pushlstring(L, (const char *)call->data, call->length);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        bytes_unref(call);
    }
    return 1;
}

static int l_offers(lua_State *L)
{
    struct scheduler *scheduler = world_scheduler(check(L));
    lua_pushinteger(
        L,
        scheduler ? (lua_Integer)offer_table_count(driver_offers(scheduler_driver(scheduler))) : 0);
    return 1;
}

static int l_failed(lua_State *L)
{
    struct scheduler *scheduler = world_scheduler(check(L));
    const char *name = luaL_checkstring(L, 2);
    lua_Integer failed = 0;
    for (int i = 0; scheduler != NULL && i < CALLBACKS; i++)
        if (strcmp(events_callback_name((enum driver_callback)i), name) == 0)
            failed = (lua_Integer)driver_counters(scheduler_driver(scheduler))->failed[i];
    lua_pushinteger(L, failed);
    return 1;
}

static int l_ended(lua_State *L)
{
    lua_pushboolean(L, world_ended(check(L)));
    return 1;
}

// ---- hardship ----

static int l_hardship(lua_State *L)
{
    struct hardship hardship;
    const char *text = luaL_optstring(L, 1, NULL);
    if (text != NULL && !hardship_read(text, &hardship))
        luaL_error(L, "'%s' is no hardship", text);
    hardship_set(text ? &hardship : NULL);
    return 0;
}

static int l_hardship_report(lua_State *L)
{
    struct hardship_report report = hardship_report();
    lua_pushinteger(L, (lua_Integer)report.requests);
    lua_pushinteger(L, (lua_Integer)report.refused);
    lua_pushinteger(L, (lua_Integer)report.raised);
    lua_pushinteger(L, (lua_Integer)report.bytes);
    return 4;
}

void internals_world_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"world", l_world},
                                         {"hardship", l_hardship},
                                         {"hardship_report", l_hardship_report},
                                         {"log", l_log},
                                         {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"load", l_load},
        {"start", l_start},
        {"event", l_event},
        {"pass", l_pass},
        {"settle", l_settle},
        {"eval", l_eval},
        {"break_stream", l_break_stream},
        {"reload", l_reload},
        {"save", l_save},
        {"restore", l_restore},
        {"calls", l_calls},
        {"close", l_close},
        {"offers", l_offers},
        {"failed", l_failed},
        {"ended", l_ended},
        {NULL, NULL},
    };
    buffer_init(&logged, TEXT_MOST);
    luaL_setfuncs(L, functions, 0);
    luaL_newmetatable(L, WORLD_TYPE);
    lua_pushcfunction(L, l_close);
    lua_setfield(L, -2, "__gc");
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
