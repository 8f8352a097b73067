// SPDX-License-Identifier: Apache-2.0
//
// A subscription seen from Lua, on a loop of virtual time, with a detector and a transport that do
// nothing but note what they are asked for: a spec plays both, and says what time it is. All that
// happens is a line "SECONDS WHAT" in a log.

#include "rooms.h"

#include "base/log.h"
#include "loop/loop_virtual.h"
#include "mesos/subscription.h"

#include <lauxlib.h>
#include <stddef.h>
#include <stdio.h>

#define SUBSCRIPTION "rooms.subscription"
#define LOG_MOST (16u << 20)

struct stage {
    struct loop *loop; // NULL: it was closed
    struct subscription subscription;
    struct detector detector;
    struct transport transport;
    struct buffer log;
};

static struct stage *stage_of_detector(struct detector *detector)
{
    return (struct stage *)((char *)detector - offsetof(struct stage, detector));
}

static struct stage *stage_of_transport(struct transport *transport)
{
    return (struct stage *)((char *)transport - offsetof(struct stage, transport));
}

static void note(struct stage *stage, const char *what, const char *detail)
{
    char head[64];
    snprintf(head, sizeof head, "%.3f ", (double)loop_now(stage->loop) / 1e9);
    buffer_append_text(&stage->log, head);
    buffer_append_text(&stage->log, what);
    buffer_append_text(&stage->log, detail);
    buffer_append_text(&stage->log, "\n");
}

// ---- the detector and the transport ----

static void on_detector(struct detector *detector)
{
    (void)detector;
}

static void on_look_again(struct detector *detector)
{
    note(stage_of_detector(detector), "look again", "");
}

static const struct detector_ops detector_ops = {
    .start = on_detector, .retry = on_look_again, .stop = on_detector, .destroy = on_detector};

static bool on_open(struct transport *transport, const char *master, struct slice subscribe,
                    struct error *err)
{
    (void)subscribe, (void)err;
    note(stage_of_transport(transport), "open ", master);
    return true;
}

static void on_close(struct transport *transport)
{
    note(stage_of_transport(transport), "close", "");
}

static void on_send(struct transport *transport, struct slice call, transport_on_reply on_reply,
                    void *data)
{
    (void)transport, (void)call, (void)on_reply, (void)data;
}

static void on_pause(struct transport *transport, bool paused)
{
    (void)transport, (void)paused;
}

static void on_destroy(struct transport *transport)
{
    (void)transport;
}

static const struct transport_ops transport_ops = {
    .open = on_open, .close = on_close, .send = on_send, .pause = on_pause, .destroy = on_destroy};

// ---- what the subscription tells ----

static void on_prepare(void *data, struct buffer *call)
{
    (void)data;
    buffer_append_text(call, "SUBSCRIBE");
}

static void on_record(void *data, struct bytes *record)
{
    note(data, "record", "");
    bytes_unref(record);
}

static void on_lost(void *data, const struct error *reason)
{
    note(data, "lost: ", reason->text);
}

static void on_failed(void *data, const struct error *reason)
{
    note(data, "failed: ", reason->text);
}

static const struct subscription_events events = {
    .prepare = on_prepare, .record = on_record, .lost = on_lost, .failed = on_failed};

// ---- the object ----

static struct stage *check_stage(lua_State *L) // [-0, +0, v]
{
    struct stage *stage = luaL_checkudata(L, 1, SUBSCRIPTION);
    luaL_argcheck(L, stage->loop != NULL, 1, "it was closed");
    return stage;
}

static double setting(lua_State *L, const char *name, double otherwise) // [-0, +0, e]
{
    lua_getfield(L, 1, name);
    double value = luaL_optnumber(L, -1, otherwise);
    lua_pop(L, 1);
    return value;
}

// rooms.subscription { seed =, backoff_factor =, backoff_max =, ... } -> subscription
static int l_subscription(lua_State *L)
{
    struct subscription_options options = subscription_defaults;
    luaL_checktype(L, 1, LUA_TTABLE);
    // Neighbouring seeds would give neighbouring first delays.
    options.seed = (uint64_t)setting(L, "seed", 1) * 0x9e3779b97f4a7c15u;
    options.backoff_factor = setting(L, "backoff_factor", options.backoff_factor);
    options.backoff_max = setting(L, "backoff_max", options.backoff_max);
    log_set_level(LOG_QUIET); // a spec reads its own log
    struct stage *stage = lua_newuserdatauv(L, sizeof *stage, 0);
    *stage = (struct stage){.loop = NULL};
    luaL_setmetatable(L, SUBSCRIPTION);
    stage->loop = loop_virtual_create(0);
    stage->detector.ops = &detector_ops;
    stage->transport.ops = &transport_ops;
    buffer_init(&stage->log, LOG_MOST);
    subscription_init(&stage->subscription, stage->loop, &stage->detector, &stage->transport,
                      &options, &events, stage);
    return 1;
}

static int l_gc(lua_State *L)
{
    struct stage *stage = luaL_checkudata(L, 1, SUBSCRIPTION);
    if (stage->loop == NULL)
        return 0;
    subscription_stop(&stage->subscription);
    subscription_free(&stage->subscription);
    loop_destroy(stage->loop);
    buffer_free(&stage->log);
    stage->loop = NULL;
    return 0;
}

static int l_start(lua_State *L)
{
    subscription_start(&check_stage(L)->subscription);
    return 0;
}

static int l_stop(lua_State *L)
{
    subscription_stop(&check_stage(L)->subscription);
    return 0;
}

static int l_renew(lua_State *L)
{
    struct error err = {0};
    error_set(&err, ERROR_NONE, "renewed");
    subscription_renew(&check_stage(L)->subscription, &err);
    return 0;
}

// subscription:leader([address])
static int l_leader(lua_State *L)
{
    struct stage *stage = check_stage(L);
    stage->detector.events->leader(stage->detector.data, luaL_optstring(L, 2, NULL));
    return 0;
}

static int l_advance(lua_State *L)
{
    struct stage *stage = check_stage(L);
    loop_virtual_advance(stage->loop, loop_seconds(luaL_checknumber(L, 2)));
    return 0;
}

static int l_accepted(lua_State *L)
{
    struct stage *stage = check_stage(L);
    stage->transport.events->accepted(stage->transport.data);
    return 0;
}

static int l_record(lua_State *L)
{
    struct stage *stage = check_stage(L);
    size_t length;
    const char *text = luaL_checklstring(L, 2, &length);
    stage->transport.events->record(stage->transport.data, bytes_copy(text, length));
    return 0;
}

// subscription:refused(status, body[, location])
static int l_refused(lua_State *L)
{
    struct stage *stage = check_stage(L);
    struct transport_reply reply = {.status = (int)luaL_checkinteger(L, 2),
                                    .body = slice_text(luaL_checkstring(L, 3)),
                                    .location = luaL_optstring(L, 4, NULL)};
    stage->transport.events->refused(stage->transport.data, &reply);
    return 0;
}

static int l_ended(lua_State *L)
{
    struct stage *stage = check_stage(L);
    struct error err = {0};
    error_set(&err, ERROR_IO, "%s", luaL_checkstring(L, 2));
    stage->transport.events->ended(stage->transport.data, &err);
    return 0;
}

// subscription:log() -> what happened since it was asked for last
static int l_log(lua_State *L)
{
    struct stage *stage = check_stage(L);
    struct slice text = buffer_slice(&stage->log);
    lua_pushlstring(L, text.data ? (const char *)text.data : "", text.length);
    buffer_clear(&stage->log);
    return 1;
}

void rooms_subscription_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"start", l_start},
        {"stop", l_stop},
        {"renew", l_renew},
        {"leader", l_leader},
        {"accepted", l_accepted},
        {"record", l_record},
        {"refused", l_refused},
        {"ended", l_ended},
        {"advance", l_advance},
        {"log", l_log},
        {NULL, NULL},
    };
    luaL_newmetatable(L, SUBSCRIPTION);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, l_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    lua_pushcfunction(L, l_subscription);
    lua_setfield(L, -2, "subscription");
}
