// SPDX-License-Identifier: Apache-2.0
//
// A transport by direct call seen from Lua, in virtual time. Its user and its peer are functions of
// one table:
//
//     internals.direct{ accepted =, record =, refused =, ended =,      the user's
//                       subscribe =, call =, closed =, destroyed = }   the peer's
//     d:open(bytes) -> true | nil, message   d:close()   d:pause(bool)   d:destroy()   d:waiting()
//     d:send(bytes[, function(status, body, unsent)])
//     d:accept()   d:refuse(status, text)   d:event(bytes)   d:finish(reason)   d:asked()
//     d:advance([seconds])
//
// call() returns the status and the text of its answer, or nothing. An error in one of them is
// raised by the method that led to it, when that returns.

#include "internals.h"

#include "loop/loop_virtual.h"
#include "mesos/transport_direct.h"

#include <lauxlib.h>
#include <stdlib.h>

#define DIRECT "internals.direct"

struct box {
    struct loop *loop;
    struct transport *transport; // NULL: it was destroyed
    lua_State *L;                // of the method that runs; its first argument is the object
    bool failed;                 // the error is in the object's user value, under "failure"
};

struct reply {
    struct box *box;
    int function; // registry reference
};

static struct box *check_box(lua_State *L)
{
    struct box *box = luaL_checkudata(L, 1, DIRECT);
    luaL_argcheck(L, box->transport != NULL, 1, "the transport was destroyed");
    box->L = L;
    return box;
}

static struct slice check_bytes(lua_State *L, int index)
{
    struct slice bytes;
    bytes.data = (const uint8_t *)luaL_checklstring(L, index, &bytes.length);
    return bytes;
}

static void push_slice(lua_State *L, struct slice slice) // [-0, +1, m]
{
    lua_pushlstring(L, (const char *)slice.data, slice.length);
}

// Raises what failed meanwhile.
static int finish(lua_State *L, struct box *box, int results)
{
    if (!box->failed)
        return results;
    box->failed = false;
    lua_getiuservalue(L, 1, 1);
    lua_getfield(L, -1, "failure");
    return lua_error(L);
}

// Calls the function below `arguments` values. // [-(arguments + 1), +results, m]
static void run(struct box *box, int arguments, int results)
{
    lua_State *L = box->L;
    if (lua_pcall(L, arguments, results, 0) == LUA_OK)
        return;
    lua_getiuservalue(L, 1, 1);
    lua_insert(L, -2);
    lua_setfield(L, -2, "failure");
    lua_pop(L, 1);
    box->failed = true;
    for (; results > 0; results--)
        lua_pushnil(L);
}

// Pushes that function of the table; false if there is none. // [-0, +(0|1), m]
static bool push_function(struct box *box, const char *name)
{
    lua_State *L = box->L;
    luaL_checkstack(L, 10, NULL);
    lua_getiuservalue(L, 1, 1);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
    if (!lua_isnil(L, -1))
        return true;
    lua_pop(L, 1);
    return false;
}

static void call_with(struct box *box, const char *name, struct slice text)
{
    if (!push_function(box, name))
        return;
    push_slice(box->L, text);
    run(box, 1, 0);
}

// ---- the user ----

static void on_accepted(void *data)
{
    call_with(data, "accepted", slice_text(""));
}

static void on_record(void *data, struct bytes *record)
{
    call_with(data, "record", slice_of(record));
    bytes_unref(record);
}

static void on_refused(void *data, const struct http_reply *reply)
{
    struct box *box = data;
    if (!push_function(box, "refused"))
        return;
    lua_pushinteger(box->L, reply->status);
    push_slice(box->L, reply->body);
    run(box, 2, 0);
}

static void on_ended(void *data, const struct error *reason)
{
    call_with(data, "ended", slice_text(reason->text));
}

static const struct transport_events events = {
    .accepted = on_accepted, .record = on_record, .refused = on_refused, .ended = on_ended};

static void on_reply(void *data, const struct http_reply *answered)
{
    struct reply *reply = data;
    struct box *box = reply->box;
    lua_State *L = box->L;
    luaL_checkstack(L, 10, NULL);
    lua_rawgeti(L, LUA_REGISTRYINDEX, reply->function);
    luaL_unref(L, LUA_REGISTRYINDEX, reply->function);
    free(reply);
    lua_pushinteger(L, answered->status);
    push_slice(L, answered->body);
    if (answered->unsent.data != NULL)
        push_slice(L, answered->unsent);
    else
        lua_pushnil(L);
    run(box, 3, 0);
}

// ---- the peer ----

static void subscribe(void *data, struct transport *transport, struct slice call)
{
    (void)transport;
    call_with(data, "subscribe", call);
}

static void peer_call(void *data, struct slice call, struct transport_direct_answer *answer)
{
    struct box *box = data;
    if (!push_function(box, "call"))
        return;
    push_slice(box->L, call);
    run(box, 1, 2);
    answer->status = (int)luaL_optinteger(box->L, -2, answer->status);
    if (lua_isstring(box->L, -1))
        error_set(&answer->error, ERROR_INVALID, "%s", lua_tostring(box->L, -1));
    lua_pop(box->L, 2);
}

static void on_closed(void *data)
{
    call_with(data, "closed", slice_text(""));
}

static void on_destroyed(void *data)
{
    call_with(data, "destroyed", slice_text(""));
}

static const struct transport_direct_peer peer = {
    .subscribe = subscribe, .call = peer_call, .closed = on_closed, .destroyed = on_destroyed};

// ---- methods ----

static int l_direct(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct box *box = lua_newuserdatauv(L, sizeof *box, 1);
    *box = (struct box){.loop = loop_virtual_create(1e9)};
    box->transport = transport_direct_create(box->loop, &peer, box);
    box->transport->events = &events;
    box->transport->data = box;
    luaL_setmetatable(L, DIRECT);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    return 1;
}

static int l_open(lua_State *L)
{
    struct box *box = check_box(L);
    struct error err = {0};
    bool good = transport_open(box->transport, "http://direct:5050", check_bytes(L, 2), &err);
    lua_pushboolean(L, good);
    lua_pushstring(L, good ? NULL : err.text);
    return finish(L, box, 2);
}

static int l_close(lua_State *L)
{
    struct box *box = check_box(L);
    transport_close(box->transport);
    return finish(L, box, 0);
}

static int l_pause(lua_State *L)
{
    transport_pause(check_box(L)->transport, lua_toboolean(L, 2));
    return 0;
}

static int l_waiting(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)transport_waiting(check_box(L)->transport));
    return 1;
}

static int l_send(lua_State *L)
{
    struct box *box = check_box(L);
    struct slice call = check_bytes(L, 2);
    if (lua_isnoneornil(L, 3)) {
        transport_send(box->transport, call, NULL, NULL);
        return 0;
    }
    struct reply *reply = malloc(sizeof *reply);
    lua_pushvalue(L, 3);
    *reply = (struct reply){.box = box, .function = luaL_ref(L, LUA_REGISTRYINDEX)};
    transport_send(box->transport, call, on_reply, reply);
    return 0;
}

static int l_accept(lua_State *L)
{
    transport_direct_accept(check_box(L)->transport);
    return 0;
}

static int l_refuse(lua_State *L)
{
    transport_direct_refuse(check_box(L)->transport, (int)luaL_checkinteger(L, 2),
                            luaL_checkstring(L, 3));
    return 0;
}

static int l_event(lua_State *L)
{
    struct slice record = check_bytes(L, 2);
    transport_direct_record(check_box(L)->transport, bytes_copy(record.data, record.length));
    return 0;
}

static int l_finish(lua_State *L)
{
    transport_direct_end(check_box(L)->transport, luaL_checkstring(L, 2));
    return 0;
}

static int l_asked(lua_State *L)
{
    lua_pushboolean(L, transport_direct_asked(check_box(L)->transport));
    return 1;
}

static int l_advance(lua_State *L)
{
    struct box *box = check_box(L);
    loop_virtual_advance(box->loop, loop_seconds(luaL_optnumber(L, 2, 0)));
    return finish(L, box, 0);
}

static int l_destroy(lua_State *L)
{
    struct box *box = check_box(L);
    struct transport *transport = box->transport;
    box->transport = NULL;
    transport_destroy(transport);
    return finish(L, box, 0);
}

static int l_gc(lua_State *L)
{
    struct box *box = luaL_checkudata(L, 1, DIRECT);
    box->L = L;
    transport_destroy(box->transport);
    box->transport = NULL;
    loop_destroy(box->loop);
    return 0;
}

void internals_direct_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"open", l_open},       {"close", l_close},   {"pause", l_pause}, {"waiting", l_waiting},
        {"send", l_send},       {"accept", l_accept}, {"event", l_event}, {"refuse", l_refuse},
        {"finish", l_finish},   {"asked", l_asked},   {"__gc", l_gc},     {"advance", l_advance},
        {"destroy", l_destroy}, {NULL, NULL},
    };
    luaL_newmetatable(L, DIRECT);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    lua_pushcfunction(L, l_direct);
    lua_setfield(L, -2, "direct");
}
