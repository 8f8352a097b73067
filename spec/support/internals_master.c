// SPDX-License-Identifier: Apache-2.0
//
// A master of the local cluster, with its agents, on a loop of virtual time and with a runner whose
// tasks only wait. Calls and events are texts in JSON. support/virtual_cluster.lua makes it
// pleasant to use.

#include "internals.h"

#include "agent/runner_virtual.h"
#include "base/memory.h"
#include "loop/loop_virtual.h"
#include "master/master.h"
#include "master/operator_operations.h"
#include "master/role_quota.h"
#include "master/role_weights.h"
#include "operator/api_state.h"
#include "operator/state_document.h"
#include "wire/json_message.h"

#include "mesos/v1/master/master.pb-c.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MASTER "internals.master"
#define EVENTS_LIMIT ((size_t)256 << 20)

enum { STREAMS = 32, AMOUNTS = 16 };

// Its events, each behind its length and a line feed.
struct stream {
    bool open;
    char id[16];
    struct buffer events;
};

struct virtual_master {
    struct loop *loop;
    struct runner *runner;
    struct master *master;
    struct stream streams[STREAMS];
    size_t count;
};

static struct virtual_master *check_master(lua_State *L)
{
    return luaL_checkudata(L, 1, MASTER);
}

struct master *internals_master_of(lua_State *L, int index, struct loop **loop)
{
    const struct virtual_master *virtual = luaL_checkudata(L, index, MASTER);
    *loop = virtual->loop;
    return virtual->master;
}

// internals.master([region, zone]) -> master
static int l_master(lua_State *L)
{
    const char *region = luaL_optstring(L, 1, NULL), *zone = luaL_optstring(L, 2, NULL);
    struct virtual_master *virtual = lua_newuserdatauv(L, sizeof *virtual, 0);
    memset(virtual, 0, sizeof *virtual);
    virtual->loop = loop_virtual_create(1e9);
    virtual->runner = runner_virtual_create(virtual->loop, NULL, NULL);
    const struct master_options options = {.ip = "127.0.0.1",
                                           .port = 5050,
                                           .hostname = "localhost",
                                           .region = region,
                                           .zone = zone,
                                           .work_dir = "/nowhere",
                                           .path = "/bin",
                                           .runner = virtual->runner};
    virtual->master = master_create(virtual->loop, &options);
    luaL_setmetatable(L, MASTER);
    return 1;
}

static int l_gc(lua_State *L)
{
    struct virtual_master *virtual = check_master(L);
    virtual->runner->ops->destroy(virtual->runner);
    master_destroy(virtual->master);
    loop_destroy(virtual->loop);
    for (size_t i = 0; i < virtual->count; i++)
        buffer_free(&virtual->streams[i].events);
    return 0;
}

// master:agent(text, [hostname, region, zone]): what the text does not name, it does not have
static int l_agent(lua_State *L)
{
    struct virtual_master *virtual = check_master(L);
    struct agent_description description;
    struct resources resources = {0};
    struct error err = {.code = ERROR_NONE};
    if (!agent_description_parse(&description, luaL_checkstring(L, 2), &err))
        return luaL_error(L, "%s", err.text);
    if (!resources_parse(&resources, description.resources, NULL, &err)) {
        agent_description_free(&description);
        return luaL_error(L, "%s", err.text);
    }
    description.hostname = memory_string(luaL_optstring(L, 3, NULL));
    description.region = memory_string(luaL_optstring(L, 4, NULL));
    description.zone = memory_string(luaL_optstring(L, 5, NULL));
    master_add_agent(virtual->master, &resources, &description);
    agent_description_free(&description);
    resources_free(&resources);
    return 0;
}

// ---- streams ----

static void on_event(void *data, const Mesos__V1__Scheduler__Event *event)
{
    struct stream *stream = data;
    struct buffer text;
    buffer_init(&text, EVENTS_LIMIT);
    json_message_write(&event->base, &text);
    buffer_format(&stream->events, "%zu\n", text.length);
    buffer_append(&stream->events, text.data, text.length);
    buffer_free(&text);
}

// What the master encodes itself is what protobuf-c makes of the same messages.
static void on_encoded(void *data, struct slice bytes)
{
    Mesos__V1__Scheduler__Event *event =
        mesos__v1__scheduler__event__unpack(NULL, bytes.length, bytes.data);
    size_t length = event ? mesos__v1__scheduler__event__get_packed_size(event) : 0;
    uint8_t *packed = memory_new(length + 1);
    if (event != NULL)
        mesos__v1__scheduler__event__pack(event, packed);
    if (event == NULL || length != bytes.length || memcmp(packed, bytes.data, length) != 0) {
        fprintf(stderr, "an encoded event differs from its message\n");
        abort();
    }
    on_event(data, event);
    mesos__v1__scheduler__event__free_unpacked(event, NULL);
    free(packed);
}

static void on_end(void *data)
{
    struct stream *stream = data;
    stream->open = false;
}

static Mesos__V1__Scheduler__Call *read_call(lua_State *L, int index) // [-0, +0, v]
{
    size_t length;
    const char *text = luaL_checklstring(L, index, &length);
    struct error err = {.code = ERROR_NONE};
    ProtobufCMessage *call = json_message_read(&mesos__v1__scheduler__call__descriptor,
                                               (struct slice){(const uint8_t *)text, length}, &err);
    if (call == NULL)
        luaL_error(L, "%s", err.text);
    return (Mesos__V1__Scheduler__Call *)call;
}

// master:subscribe(call) -> number of the stream
static int l_subscribe(lua_State *L)
{
    static const struct master_sink sink = {
        .event = on_event, .encoded = on_encoded, .end = on_end};
    struct virtual_master *virtual = check_master(L);
    if (virtual->count == STREAMS)
        return luaL_error(L, "too many streams");
    Mesos__V1__Scheduler__Call *call = read_call(L, 2);
    struct stream *stream = &virtual->streams[virtual->count++];
    buffer_init(&stream->events, EVENTS_LIMIT);
    snprintf(stream->id, sizeof stream->id, "stream-%zu", virtual->count);
    stream->open = true;
    master_subscribe(virtual->master, call, stream->id, &sink, stream);
    mesos__v1__scheduler__call__free_unpacked(call, NULL);
    lua_pushinteger(L, (lua_Integer) virtual->count);
    return 1;
}

static struct stream *check_stream(lua_State *L, struct virtual_master *virtual)
{
    lua_Integer number = luaL_checkinteger(L, 2);
    luaL_argcheck(L, number >= 1 && number <= (lua_Integer) virtual->count, 2, "no such stream");
    return &virtual->streams[number - 1];
}

// master:call(stream, call) -> status, text
static int l_call(lua_State *L)
{
    struct virtual_master *virtual = check_master(L);
    struct stream *stream = check_stream(L, virtual);
    Mesos__V1__Scheduler__Call *call = read_call(L, 3);
    struct master_answer answer = {.status = 400};
    const struct master_caller caller = {.stream_id = stream->id};
    if (master_validate(call, &answer.error))
        answer = master_call(virtual->master, call, &caller);
    mesos__v1__scheduler__call__free_unpacked(call, NULL);
    lua_pushinteger(L, answer.status);
    lua_pushstring(L, answer.error.text);
    return 2;
}

// master:close(stream)
static int l_close(lua_State *L)
{
    struct virtual_master *virtual = check_master(L);
    struct stream *stream = check_stream(L, virtual);
    if (stream->open)
        master_stream_closed(virtual->master, stream->id);
    stream->open = false;
    return 0;
}

// master:events(stream) -> those since the last call, each behind its length and a line feed
static int l_events(lua_State *L)
{
    struct stream *stream = check_stream(L, check_master(L));
    lua_pushlstring(L, (const char *)stream->events.data, stream->events.length);
    buffer_clear(&stream->events);
    return 1;
}

// ---- time and tasks ----

// master:advance(seconds)
static int l_advance(lua_State *L)
{
    struct virtual_master *virtual = check_master(L);
    loop_virtual_advance(virtual->loop, loop_seconds(luaL_checknumber(L, 2)));
    return 0;
}

// master:finish(count, status) -> how many tasks ended: the oldest
static int l_finish(lua_State *L)
{
    struct virtual_master *virtual = check_master(L);
    size_t count = (size_t)luaL_checkinteger(L, 2);
    size_t ended = runner_virtual_end(virtual->runner, count, luaL_optinteger(L, 3, 0));
    lua_pushinteger(L, (lua_Integer)ended);
    return 1;
}

// ---- roles ----

static int push_result(lua_State *L, bool good, const struct error *err) // [-0, +2, m]
{
    lua_pushboolean(L, good);
    lua_pushstring(L, err->text);
    return 2;
}

// master:weight(role, weight) -> good, error
static int l_weight(lua_State *L)
{
    struct error err = {.code = ERROR_NONE};
    const struct role_weight weight = {luaL_checkstring(L, 2), luaL_checknumber(L, 3)};
    bool good = role_weights_update(check_master(L)->master, &weight, 1, &err);
    return push_result(L, good, &err);
}

// The names and values of a table. // [-0, +0, v]
static size_t read_amounts(lua_State *L, int index, struct role_quota_amount *amounts)
{
    size_t count = 0;
    if (lua_isnoneornil(L, index))
        return 0;
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        luaL_argcheck(L, count < AMOUNTS, index, "too many");
        amounts[count++] = (struct role_quota_amount){lua_tostring(L, -2), lua_tonumber(L, -1)};
    }
    return count;
}

// master:quota(role, guarantees, limits, force) -> good, error
static int l_quota(lua_State *L)
{
    struct error err = {.code = ERROR_NONE};
    struct role_quota_amount guarantees[AMOUNTS], limits[AMOUNTS];
    const struct role_quota_config config = {.role = luaL_checkstring(L, 2),
                                             .guarantees = guarantees,
                                             .guarantee_count = read_amounts(L, 3, guarantees),
                                             .limits = limits,
                                             .limit_count = read_amounts(L, 4, limits)};
    bool good = role_quota_update(check_master(L)->master, &config, 1, lua_toboolean(L, 5), &err);
    return push_result(L, good, &err);
}

// master:set_quota(role, resources, force) -> good, error
static int l_set_quota(lua_State *L)
{
    struct error err = {.code = ERROR_NONE};
    const char *role = luaL_checkstring(L, 2);
    struct resources list;
    if (!resources_parse(&list, luaL_checkstring(L, 3), NULL, &err))
        return luaL_error(L, "%s", err.text);
    bool good = role_quota_set(check_master(L)->master, role, list.items, list.count,
                               lua_toboolean(L, 4), &err);
    resources_free(&list);
    push_result(L, good, &err);
    lua_pushboolean(L, err.code == ERROR_REFUSED);
    return 3;
}

// master:remove_quota(role) -> good, error
static int l_remove_quota(lua_State *L)
{
    struct error err = {.code = ERROR_NONE};
    bool good = role_quota_remove(check_master(L)->master, luaL_checkstring(L, 2), &err);
    return push_result(L, good, &err);
}

// ---- operators ----

// master:operate(agent_id, operation, principal) -> status, text
static int l_operate(lua_State *L)
{
    struct virtual_master *virtual = check_master(L);
    const char *agent_id = luaL_checkstring(L, 2), *principal = luaL_optstring(L, 4, NULL);
    size_t length;
    const char *text = luaL_checklstring(L, 3, &length);
    struct error err = {.code = ERROR_NONE};
    ProtobufCMessage *operation =
        json_message_read(&mesos__v1__offer__operation__descriptor,
                          (struct slice){(const uint8_t *)text, length}, &err);
    if (operation == NULL)
        return luaL_error(L, "%s", err.text);
    struct master_answer answer = operator_operations_apply(
        virtual->master, agent_id, (Mesos__V1__Offer__Operation *)operation, principal);
    protobuf_c_message_free_unpacked(operation, NULL);
    lua_pushinteger(L, answer.status);
    lua_pushstring(L, answer.error.text);
    return 2;
}

// master:document(name) -> the text of an endpoint's document ("state"), or of a response of the v1
// API in that form ("json", "protobuf")
static int l_document(lua_State *L)
{
    static const char *const names[] = {"state", "json", "protobuf", NULL};
    struct virtual_master *virtual = check_master(L);
    int name = luaL_checkoption(L, 2, "state", names);
    struct buffer out;
    buffer_init(&out, EVENTS_LIMIT);
    struct json_writer writer = {.out = &out};
    struct response_writer response;
    if (name == 0) {
        state_document(&writer, virtual->master, NULL);
    } else {
        response_writer_begin(&response, &out, name == 2,
                              &mesos__v1__master__response__get_state__descriptor);
        api_state(&response, virtual->master);
        response_writer_finish(&response);
    }
    lua_pushlstring(L, buffer_string(&out), out.length);
    buffer_free(&out);
    return 1;
}

static const luaL_Reg methods[] = {
    {"document", l_document},
    {"agent", l_agent},
    {"subscribe", l_subscribe},
    {"call", l_call},
    {"close", l_close},
    {"events", l_events},
    {"advance", l_advance},
    {"finish", l_finish},
    {"weight", l_weight},
    {"quota", l_quota},
    {"set_quota", l_set_quota},
    {"remove_quota", l_remove_quota},
    {"operate", l_operate},
    {"__gc", l_gc},
    {NULL, NULL},
};

void internals_master_open(lua_State *L)
{
    luaL_newmetatable(L, MASTER);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    lua_pushcfunction(L, l_master);
    lua_setfield(L, -2, "master");
}
