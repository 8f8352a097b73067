// SPDX-License-Identifier: Apache-2.0
//
// Test beds in Lua: see testing.h.
//
//     core.create{ time =, seed =, state =, functions =, show = } -> bed
//         functions.stub(name, arguments) -> list of results with n; functions.last(id, command) ->
//         seconds or nil, status; they are called while one of the methods runs
//     bed:load(path, arguments), bed:reload([path])          true, or nil and a message
//     bed:advance(seconds)   bed:now()   bed:failure() -> text or nil
//     bed:await(seconds) -> has it asked for a subscription   bed:accept(event)
//     bed:event(event)   bed:disconnect()   bed:connected()   bed:calls() -> list
//     bed:cluster(json) true, or nil and a message   bed:lose_agent(id) the same
//     bed:end_task(id, status) -> did it run
//     bed:status()   bed:state()   bed:submit(job) -> ended, good, text
//     bed:log() -> list of { level =, text = }   bed:close()
//
// Events are tables; calls are plain tables. While a method runs, the log goes to the bed. No Lua
// error passes through the policy: what the test's functions raise comes back as an error of the
// stub. A bed is not used inside of itself, which the functions of the test might do.

#include "bindings/testing/testing.h"

#include "base/log.h"
#include "bindings/core/scratch.h"
#include "bindings/core/userdata.h"
#include "bindings/message/message_decode.h"
#include "bindings/message/message_encode.h"
#include "bindings/testing/policy_world.h"
#include "bindings/testing/testbed.h"
#include "script/protect.h"
#include "script/serialize.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

#include <lauxlib.h>

#include <stdlib.h>
#include <string.h>

#define BED "mesos.testing.Bed"

enum { LOG_MOST = 1 << 20, ARGUMENTS_MOST = 1000 };

struct bed {
    struct userdata base;
    struct testbed *testbed;
    struct testbed_events events;
    lua_State *L;      // of the method that runs, whose first argument is the bed; NULL: none does
    bool show;         // the log goes where it always goes
    struct buffer log; // each line with a digit for its level in front and a zero byte behind
    log_sink outer_sink;
    void *outer_data;
};

// ---- while a method runs ----

static void on_line(void *data, enum log_level level, const char *text)
{
    struct bed *bed = data;
    const char digit = (char)('0' + level);
    size_t size = strlen(text) + 1;
    if (size >= LOG_MOST - bed->log.length)
        return;
    buffer_append(&bed->log, &digit, 1);
    buffer_append(&bed->log, text, size);
}

static struct bed *check_bed(lua_State *L) // [-0, +0, v]
{
    struct bed *bed = userdata_check(L, 1, BED);
    if (bed->L != NULL)
        luaL_error(L, "a test cannot use its policy inside of a stub or of `runtime`: the policy "
                      "runs there");
    return bed;
}

// Nothing raises between these two.
static struct testbed *enter(lua_State *L, struct bed *bed)
{
    bed->L = L;
    bed->outer_sink = log_get_sink(&bed->outer_data);
    if (!bed->show)
        log_set_sink(on_line, bed);
    return bed->testbed;
}

static void leave(struct bed *bed) // [-0, +0, e]
{
    lua_State *L = bed->L;
    log_set_sink(bed->outer_sink, bed->outer_data);
    bed->L = NULL;
    protect_check(L);
}

static int push_result(lua_State *L, bool good, const struct error *err) // [-0, +(1|2), m]
{
    if (good) {
        lua_pushboolean(L, true);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, err->text);
    return 2;
}

// ---- the test's functions ----

// Calls a C function with the bed and `argument`; what it raises is `err`. // [-0, +0, -]
static bool call_test(struct bed *bed, lua_CFunction function, void *argument, struct error *err)
{
    lua_State *L = bed->L;
    if (L == NULL || !lua_checkstack(L, LUA_MINSTACK))
        return error_set(err, ERROR_SCRIPT, "the test cannot be asked now");
    lua_pushcfunction(L, function);
    lua_pushvalue(L, 1);
    lua_pushlightuserdata(L, argument);
    if (protect_pcall(L, 2, 0, 0, 0, NULL) == LUA_OK)
        return true;
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "the test raised";
    error_set(err, ERROR_SCRIPT, "%s", text);
    lua_pop(L, 1);
    return false;
}

static void push_function(lua_State *L, const char *name) // [-0, +1, e]
{
    lua_getiuservalue(L, 1, 1);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

struct stub_call {
    const char *name;
    struct buffer *values;
};

static int l_call_stub(lua_State *L) // (bed, call)
{
    const struct stub_call *call = lua_touserdata(L, 2);
    push_function(L, "stub");
    policy_world_call_stub(L, call->name, call->values);
    return 0;
}

static bool on_stub(void *data, const char *name, struct buffer *values, struct error *err)
{
    struct stub_call call = {.name = name, .values = values};
    return call_test(data, l_call_stub, &call, err);
}

struct last_call {
    const char *task_id, *command;
    double *seconds;
    int *status;
};

static int l_call_last(lua_State *L) // (bed, call)
{
    const struct last_call *call = lua_touserdata(L, 2);
    push_function(L, "last");
    lua_pushstring(L, call->task_id);
    lua_pushstring(L, call->command);
    lua_call(L, 2, 2);
    *call->seconds = luaL_optnumber(L, -2, *call->seconds);
    *call->status = (int)luaL_optinteger(L, -1, *call->status);
    return 0;
}

static bool on_last(void *data, const char *task_id, const char *command, double *seconds,
                    int *status, struct error *err)
{
    struct last_call call = {
        .task_id = task_id, .command = command, .seconds = seconds, .status = status};
    return call_test(data, l_call_last, &call, err);
}

// ---- the life of a bed ----

static void end_bed(lua_State *L, struct userdata *userdata)
{
    struct bed *bed = (struct bed *)userdata;
    (void)L;
    bed->outer_sink = log_get_sink(&bed->outer_data);
    log_set_sink(on_line, bed);
    testbed_destroy(bed->testbed);
    log_set_sink(bed->outer_sink, bed->outer_data);
    buffer_free(&bed->log);
}

static int l_create(lua_State *L) // [-1, +1, e]
{
    struct error err = {0};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_getfield(L, 1, "time");
    lua_getfield(L, 1, "seed");
    lua_getfield(L, 1, "show");
    struct testbed_settings settings = {.time = luaL_checknumber(L, 2),
                                        .seed = (uint64_t)luaL_checkinteger(L, 3)};
    struct buffer *state = scratch_push(L);
    if (lua_getfield(L, 1, "state") != LUA_TNIL && !serialize_save(L, -1, "state", state, &err))
        return luaL_error(L, "%s", err.text);
    struct bed *bed = userdata_push(L, BED, sizeof *bed, 1, end_bed);
    lua_getfield(L, 1, "functions");
    lua_setiuservalue(L, -2, 1);
    bed->show = lua_toboolean(L, 4);
    bed->events = (struct testbed_events){.stub = on_stub, .last = on_last, .data = bed};
    buffer_init(&bed->log, LOG_MOST);
    settings.state = buffer_slice(state);
    settings.events = &bed->events;
    bed->testbed = testbed_create(&settings);
    return 1;
}

// The texts stay in the table at `index`, on the stack. // [-0, +count, e]
static int push_arguments(lua_State *L, int index, const char **argv)
{
    int count = (int)luaL_len(L, index);
    luaL_argcheck(L, count <= ARGUMENTS_MOST, index, "too many arguments");
    luaL_checkstack(L, count, "arguments");
    for (int i = 0; i < count; i++) {
        lua_rawgeti(L, index, i + 1);
        argv[i] = luaL_checkstring(L, -1);
    }
    return count;
}

static int l_load(lua_State *L) // [-3, +(1|2), e]
{
    struct bed *bed = check_bed(L);
    const char *path = luaL_checkstring(L, 2), *argv[ARGUMENTS_MOST];
    int argc = push_arguments(L, 3, argv);
    struct error err = {0};
    bool good = testbed_load(enter(L, bed), path, argc, argv, &err);
    leave(bed);
    return push_result(L, good, &err);
}

static int l_reload(lua_State *L) // [-2, +(1|2), e]
{
    struct bed *bed = check_bed(L);
    const char *path = luaL_optstring(L, 2, NULL);
    struct error err = {0};
    bool good = testbed_reload(enter(L, bed), path, &err);
    leave(bed);
    return push_result(L, good, &err);
}

static int l_close(lua_State *L) // [-1, +0, e]
{
    check_bed(L);
    lua_getmetatable(L, 1);
    lua_getfield(L, -1, "__gc");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 0);
    return 0;
}

// ---- time and failures ----

static int l_advance(lua_State *L) // [-2, +0, e]
{
    struct bed *bed = check_bed(L);
    double seconds = luaL_checknumber(L, 2);
    luaL_argcheck(L, seconds >= 0, 2, "time does not go back");
    testbed_advance(enter(L, bed), seconds);
    leave(bed);
    return 0;
}

static int l_now(lua_State *L) // [-1, +1, e]
{
    lua_pushnumber(L, testbed_now(check_bed(L)->testbed));
    return 1;
}

static int l_failure(lua_State *L) // [-1, +1, e]
{
    struct bed *bed = check_bed(L);
    struct buffer *text = scratch_push(L);
    char *failure = testbed_failure(bed->testbed);
    if (failure == NULL)
        return 0;
    buffer_append_text(text, failure);
    free(failure);
    lua_pushlstring(L, buffer_string(text), text->length);
    return 1;
}

// ---- the master ----

// The event at index 2 as bytes in scratch memory. // [-0, +1, e]
static struct slice encode_event(lua_State *L)
{
    struct buffer *buffer = scratch_push(L);
    message_encode(L, 2, &mesos__v1__scheduler__event__descriptor, "event", buffer);
    return buffer_slice(buffer);
}

static int l_await(lua_State *L) // [-2, +1, e]
{
    struct bed *bed = check_bed(L);
    double seconds = luaL_checknumber(L, 2);
    bool asked = testbed_await_subscribe(enter(L, bed), seconds);
    leave(bed);
    lua_pushboolean(L, asked);
    return 1;
}

static int l_accept(lua_State *L) // [-2, +0, e]
{
    struct bed *bed = check_bed(L);
    struct slice event = encode_event(L);
    testbed_accept(enter(L, bed), event);
    leave(bed);
    return 0;
}

static int l_event(lua_State *L) // [-2, +0, e]
{
    struct bed *bed = check_bed(L);
    struct slice event = encode_event(L);
    testbed_event(enter(L, bed), event);
    leave(bed);
    return 0;
}

static int l_disconnect(lua_State *L) // [-1, +0, e]
{
    struct bed *bed = check_bed(L);
    testbed_disconnect(enter(L, bed));
    leave(bed);
    return 0;
}

static int l_connected(lua_State *L) // [-1, +1, e]
{
    lua_pushboolean(L, testbed_connected(check_bed(L)->testbed));
    return 1;
}

static int l_calls(lua_State *L) // [-1, +1, e]
{
    struct bed *bed = check_bed(L);
    struct buffer *scratch = scratch_push(L);
    lua_newtable(L);
    int list = lua_gettop(L);
    for (struct bytes *call; (call = testbed_call(bed->testbed)) != NULL;) {
        buffer_clear(scratch);
        buffer_append(scratch, call->data, call->length);
        bytes_unref(call);
        message_decode_plain(L, &mesos__v1__scheduler__call__descriptor, buffer_slice(scratch));
        lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1);
    }
    return 1;
}

// ---- the cluster ----

static int l_cluster(lua_State *L) // [-2, +(1|2), e]
{
    struct bed *bed = check_bed(L);
    struct slice plan;
    struct error err = {0};
    plan.data = (const uint8_t *)luaL_checklstring(L, 2, &plan.length);
    bool good = testbed_cluster(enter(L, bed), plan, &err);
    leave(bed);
    return push_result(L, good, &err);
}

static int l_end_task(lua_State *L) // [-3, +1, e]
{
    struct bed *bed = check_bed(L);
    const char *task_id = luaL_checkstring(L, 2);
    int status = (int)luaL_checkinteger(L, 3);
    bool ended = testbed_end_task(enter(L, bed), task_id, status);
    leave(bed);
    lua_pushboolean(L, ended);
    return 1;
}

static int l_lose_agent(lua_State *L) // [-2, +(1|2), e]
{
    struct bed *bed = check_bed(L);
    const char *agent_id = luaL_checkstring(L, 2);
    struct error err = {0};
    bool good = testbed_lose_agent(enter(L, bed), agent_id, &err);
    leave(bed);
    return push_result(L, good, &err);
}

// ---- the policy ----

static int l_status(lua_State *L) // [-1, +1, e]
{
    lua_pushstring(L, driver_status_name(testbed_status(check_bed(L)->testbed)));
    return 1;
}

static int l_state(lua_State *L) // [-1, +1, e]
{
    struct bed *bed = check_bed(L);
    struct buffer *bytes = scratch_push(L);
    struct error err = {0};
    if (!testbed_state(bed->testbed, bytes, &err) || !serialize_load(L, buffer_slice(bytes), &err))
        return luaL_error(L, "%s", err.text);
    return 1;
}

static int l_submit(lua_State *L) // [-2, +3, e]
{
    struct bed *bed = check_bed(L);
    struct error err = {0};
    bool ended = false, good = false;
    luaL_checktype(L, 2, LUA_TTABLE);
    struct buffer *job = scratch_push(L), *answer = scratch_push(L);
    if (!serialize_save(L, 2, "job", job, &err))
        return luaL_error(L, "%s", err.text);
    bool taken = testbed_submit(enter(L, bed), buffer_slice(job), &ended, &good, answer, &err);
    leave(bed);
    if (!taken)
        return luaL_error(L, "%s", err.text);
    lua_pushboolean(L, ended);
    lua_pushboolean(L, good);
    lua_pushlstring(L, buffer_string(answer), answer->length);
    return 3;
}

static int l_log(lua_State *L) // [-1, +1, e]
{
    struct bed *bed = check_bed(L);
    lua_newtable(L);
    for (size_t at = 0; at < bed->log.length;) {
        const char *line = (const char *)bed->log.data + at;
        at += strlen(line) + 1;
        lua_createtable(L, 0, 2);
        lua_pushstring(L, log_level_name((enum log_level)(*line - '0')));
        lua_setfield(L, -2, "level");
        lua_pushstring(L, line + 1);
        lua_setfield(L, -2, "text");
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    buffer_clear(&bed->log);
    return 1;
}

int testing_open(lua_State *L)
{
    static const luaL_Reg methods[] = {{"load", l_load},
                                       {"reload", l_reload},
                                       {"advance", l_advance},
                                       {"now", l_now},
                                       {"failure", l_failure},
                                       {"await", l_await},
                                       {"accept", l_accept},
                                       {"event", l_event},
                                       {"disconnect", l_disconnect},
                                       {"calls", l_calls},
                                       {"connected", l_connected},
                                       {"cluster", l_cluster},
                                       {"end_task", l_end_task},
                                       {"lose_agent", l_lose_agent},
                                       {"status", l_status},
                                       {"state", l_state},
                                       {"submit", l_submit},
                                       {"log", l_log},
                                       {"close", l_close},
                                       {NULL, NULL}};
    userdata_type(L, BED);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, l_create);
    lua_setfield(L, -2, "create");
    return 1;
}
