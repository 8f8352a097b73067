// SPDX-License-Identifier: Apache-2.0
//
// A subscription seen from Lua, in virtual time, between a detector and a transport that do only
// what the spec says and note what they are asked for. The userdata owns all of it; its user value
// is the list of notes, { at = seconds, what = ..., text = ... }.

#include "internals.h"

#include "base/log.h"
#include "loop/loop_virtual.h"
#include "mesos/subscription.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#define SUBSCRIPTION "internals.subscription"

struct box {
    struct loop *loop;
    struct subscription subscription;
    struct detector detector;
    struct transport transport;
    lua_State *L;         // of the method that runs
    const char *react_to; // the event in which `reaction` happens, or NULL
    const char *reaction; // "stop", "drain" or "renew"
    bool refuse_to_open;  // transport_open() fails
    char names[2][16];    // memory of the two above
};

// ---- notes ----

// The object is argument 1 of the method that runs. // [-0, +0, m]
static void note(struct box *box, const char *what, const char *text, size_t length)
{
    lua_State *L = box->L;
    luaL_checkstack(L, 6, NULL);
    lua_getiuservalue(L, 1, 1);
    lua_createtable(L, 0, 3);
    lua_pushnumber(L, (double)loop_now(box->loop) / (double)LOOP_SECOND);
    lua_setfield(L, -2, "at");
    lua_pushstring(L, what);
    lua_setfield(L, -2, "what");
    lua_pushlstring(L, text, length);
    lua_setfield(L, -2, "text");
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
}

static void note_text(struct box *box, const char *what, const char *text)
{
    note(box, what, text, strlen(text));
}

static void react(struct box *box, const char *event)
{
    struct error err = {.text = "a reaction"};
    if (box->react_to == NULL || strcmp(box->react_to, event) != 0)
        return;
    if (strcmp(box->reaction, "stop") == 0)
        subscription_stop(&box->subscription);
    else if (strcmp(box->reaction, "drain") == 0)
        subscription_drain(&box->subscription);
    else
        subscription_renew(&box->subscription, &err);
}

// ---- what the subscription tells ----

static void on_prepare(void *data, struct buffer *call)
{
    (void)data;
    buffer_append_text(call, "SUBSCRIBE");
}

static void on_record(void *data, struct bytes *record, int32_t type)
{
    (void)type;
    struct box *box = data;
    note(box, "record", (const char *)record->data, record->length);
    bytes_unref(record);
    react(box, "record");
}

static void on_lost(void *data, const struct error *reason)
{
    note_text(data, "lost", reason->text);
    react(data, "lost");
}

static void on_failed(void *data, const struct error *reason)
{
    note_text(data, "failed", reason->text);
    react(data, "failed");
}

static const struct subscription_events events = {
    .prepare = on_prepare, .record = on_record, .lost = on_lost, .failed = on_failed};

// ---- the detector and the transport ----

static struct box *box_of(struct detector *detector)
{
    return (struct box *)(void *)((char *)detector - offsetof(struct box, detector));
}

static void detector_note_start(struct detector *detector)
{
    note_text(box_of(detector), "detect", "");
}

static void detector_note_retry(struct detector *detector)
{
    note_text(box_of(detector), "retry", "");
}

static void detector_note_stop(struct detector *detector)
{
    (void)detector;
}

static const struct detector_ops detector_ops = {
    .start = detector_note_start, .retry = detector_note_retry, .stop = detector_note_stop};

static struct box *owner_of(struct transport *transport)
{
    return (struct box *)(void *)((char *)transport - offsetof(struct box, transport));
}

static bool open_stream(struct transport *transport, const char *master, struct slice call,
                        struct error *err)
{
    struct box *box = owner_of(transport);
    (void)call;
    note_text(box, "open", master);
    return !box->refuse_to_open || error_set(err, ERROR_INVALID, "cannot be opened");
}

static void close_stream(struct transport *transport)
{
    note_text(owner_of(transport), "close", "");
    react(owner_of(transport), "close"); // as the answer of a call may
}

static void pause_stream(struct transport *transport, bool paused)
{
    note_text(owner_of(transport), "pause", paused ? "on" : "off");
}

static const struct transport_ops transport_ops = {
    .open = open_stream, .close = close_stream, .pause = pause_stream};

// ---- the object ----

static struct box *check(lua_State *L)
{
    struct box *box = luaL_checkudata(L, 1, SUBSCRIPTION);
    box->L = L;
    return box;
}

static double option(lua_State *L, const char *name, double otherwise) // [-0, +0, e]
{
    lua_getfield(L, 1, name);
    double value = luaL_optnumber(L, -1, otherwise);
    lua_pop(L, 1);
    return value;
}

// internals.subscription { backoff_factor =, backoff_max =, answer_deadline =, missed_intervals =,
// seed = }
static int l_subscription(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    const struct subscription_options *usual = &subscription_defaults;
    const struct subscription_options options = {
        .backoff_factor = option(L, "backoff_factor", usual->backoff_factor),
        .backoff_max = option(L, "backoff_max", usual->backoff_max),
        .answer_deadline = option(L, "answer_deadline", usual->answer_deadline),
        .missed_intervals = (unsigned)option(L, "missed_intervals", usual->missed_intervals),
        .seed = (uint64_t)option(L, "seed", 1),
    };
    struct box *box = lua_newuserdatauv(L, sizeof *box, 1);
    *box = (struct box){.L = L};
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    log_set_level(LOG_QUIET);
    box->loop = loop_virtual_create(0);
    box->detector.ops = &detector_ops;
    box->transport.ops = &transport_ops;
    subscription_init(&box->subscription, box->loop, &box->detector, &box->transport, &options,
                      &events, box);
    luaL_setmetatable(L, SUBSCRIPTION);
    return 1;
}

static int l_gc(lua_State *L)
{
    struct box *box = check(L);
    subscription_stop(&box->subscription);
    subscription_free(&box->subscription);
    loop_destroy(box->loop);
    return 0;
}

static int l_start(lua_State *L)
{
    subscription_start(&check(L)->subscription);
    return 0;
}

static int l_stop(lua_State *L)
{
    subscription_stop(&check(L)->subscription);
    return 0;
}

static int l_drain(lua_State *L)
{
    subscription_drain(&check(L)->subscription);
    return 0;
}

static int l_renew(lua_State *L)
{
    struct error err = {0};
    error_set(&err, ERROR_NONE, "%s", luaL_checkstring(L, 2));
    subscription_renew(&check(L)->subscription, &err);
    return 0;
}

static int l_pause(lua_State *L)
{
    subscription_pause(&check(L)->subscription, lua_toboolean(L, 2));
    return 0;
}

static int l_advance(lua_State *L)
{
    loop_virtual_advance(check(L)->loop, loop_seconds(luaL_checknumber(L, 2)));
    return 0;
}

// subscription:leader(address or nil[, guess])
static int l_leader(lua_State *L)
{
    struct box *box = check(L);
    box->detector.guess = lua_toboolean(L, 3);
    box->detector.events->leader(box->detector.data, luaL_optstring(L, 2, NULL));
    return 0;
}

static int l_detector_failed(lua_State *L)
{
    struct box *box = check(L);
    struct error err = {0};
    error_set(&err, ERROR_IO, "%s", luaL_checkstring(L, 2));
    box->detector.events->failed(box->detector.data, &err);
    return 0;
}

static int l_accept(lua_State *L)
{
    struct box *box = check(L);
    box->transport.events->accepted(box->transport.data);
    return 0;
}

static int l_record(lua_State *L)
{
    struct box *box = check(L);
    size_t length;
    const char *bytes = luaL_checklstring(L, 2, &length);
    box->transport.events->record(box->transport.data, bytes_copy(bytes, length));
    return 0;
}

// subscription:refuse(status, body, location)
static int l_refuse(lua_State *L)
{
    struct box *box = check(L);
    const struct http_reply reply = {.status = (int)luaL_checkinteger(L, 2),
                                     .body = slice_text(luaL_optstring(L, 3, NULL)),
                                     .location = luaL_optstring(L, 4, NULL)};
    box->transport.events->refused(box->transport.data, &reply);
    return 0;
}

static int l_end_stream(lua_State *L)
{
    struct box *box = check(L);
    struct error err = {0};
    error_set(&err, lua_toboolean(L, 3) ? ERROR_LIMIT : ERROR_IO, "%s", luaL_checkstring(L, 2));
    box->transport.events->ended(box->transport.data, &err);
    return 0;
}

// subscription:react(event, "stop" | "drain" | "renew")
static int l_react(lua_State *L)
{
    struct box *box = check(L);
    for (int i = 0; i < 2; i++)
        snprintf(box->names[i], sizeof box->names[i], "%s", luaL_checkstring(L, 2 + i));
    box->react_to = box->names[0];
    box->reaction = box->names[1];
    return 0;
}

static int l_refuse_to_open(lua_State *L)
{
    check(L)->refuse_to_open = lua_toboolean(L, 2);
    return 0;
}

static int l_state(lua_State *L)
{
    static const char *const names[] = {"stopped",     "detecting",  "waiting", "connecting",
                                        "subscribing", "subscribed", "failed",  "draining"};
    lua_pushstring(L, names[check(L)->subscription.state]);
    return 1;
}

static int l_now(lua_State *L)
{
    lua_pushnumber(L, (double)loop_now(check(L)->loop) / (double)LOOP_SECOND);
    return 1;
}

// subscription:notes() -> those since the last time
static int l_notes(lua_State *L)
{
    check(L);
    lua_getiuservalue(L, 1, 1);
    lua_newtable(L);
    lua_setiuservalue(L, 1, 1);
    return 1;
}

static const luaL_Reg methods[] = {
    {"start", l_start},   {"stop", l_stop},
    {"drain", l_drain},   {"renew", l_renew},
    {"pause", l_pause},   {"advance", l_advance},
    {"leader", l_leader}, {"detector_failed", l_detector_failed},
    {"accept", l_accept}, {"record", l_record},
    {"refuse", l_refuse}, {"end_stream", l_end_stream},
    {"react", l_react},   {"refuse_to_open", l_refuse_to_open},
    {"state", l_state},   {"now", l_now},
    {"notes", l_notes},   {"__gc", l_gc},
    {NULL, NULL},
};

void internals_subscription_open(lua_State *L)
{
    luaL_newmetatable(L, SUBSCRIPTION);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    lua_pushcfunction(L, l_subscription);
    lua_setfield(L, -2, "subscription");
}
