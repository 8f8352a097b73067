// SPDX-License-Identifier: Apache-2.0
//
// Waiting for a web server: see http.h. The userdata of a request lies on the stack of the
// coroutine that waits, and owns the transfer; the connections belong to a client that was made
// before all requests, so Lua, which finalizes the latest first, releases it after them.

#include "bindings/lib/http.h"

#include "base/memory.h"
#include "bindings/core/dot_call.h"
#include "bindings/core/userdata.h"
#include "bindings/lib/http_headers.h"
#include "bindings/message/arguments.h"
#include "net/curl_loop.h"
#include "net/http_client.h"
#include "script/protect.h"

#include <lauxlib.h>

#include <stdio.h>
#include <string.h>

#define CLIENT_TYPE "mesos.http.client"
#define REQUEST_TYPE "mesos.http.request"

enum {
    REQUESTS = 256,           // at the same time
    BODY_LIMIT = 1024 * 1024, // bytes
    REDIRECTS = 50,
};

static const double patience = 30; // seconds

struct http_caller {
    struct userdata base;
    struct curl_loop *http; // NULL: nothing was asked yet
    unsigned requests;
};

struct http_call {
    struct userdata base;
    struct http_caller *client;
    struct routine *routine;
    struct http_client *fetch; // NULL: not started, or destroyed
    struct http_client_reply reply;
};

static void end_request(struct http_call *request)
{
    if (request->fetch == NULL)
        return;
    http_client_destroy(request->fetch);
    request->fetch = NULL;
    request->client->requests--;
}

static void abandon_request(void *data)
{
    end_request(data);
}

static void end_userdata(lua_State *L, struct userdata *userdata)
{
    (void)L;
    end_request((struct http_call *)userdata);
}

static void end_client(lua_State *L, struct userdata *userdata)
{
    (void)L;
    curl_loop_destroy(((struct http_caller *)userdata)->http);
}

// ---- the answer ----

// Sets the header of that line in the table at the top. // [-0, +0, m]
static void add_header(lua_State *L, const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length), *end = line + length;
    if (colon == NULL)
        return;
    const char *value = colon + 1;
    for (; value < end && (*value == ' ' || *value == '\t'); value++)
        ;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    http_headers_add(L, (struct slice){(const uint8_t *)line, (size_t)(colon - line)},
                     (struct slice){(const uint8_t *)value, (size_t)(end - value)});
}

static void push_headers(lua_State *L, struct slice lines) // [-0, +1, m]
{
    const char *line = (const char *)lines.data, *end = line + lines.length;
    lua_newtable(L);
    while (line != end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        add_header(L, line, (size_t)(stop - line));
        line = stop + 1;
    }
    http_headers_adopt(L);
}

static int push_reply(lua_State *L, const struct http_client_reply *reply) // [-0, +n, m]
{
    if (reply->status == 0) {
        luaL_pushfail(L);
        lua_pushstring(L, reply->failure);
        lua_pushstring(L, reply->code);
        return 3;
    }
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, reply->status);
    lua_setfield(L, -2, "status");
    push_headers(L, reply->headers);
    lua_setfield(L, -2, "headers");
    lua_pushlstring(L, (const char *)reply->body.data, reply->body.length);
    lua_setfield(L, -2, "body");
    return 1;
}

static int on_answered(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    struct http_call *request = userdata_at(L, (int)context);
    int count = push_reply(L, &request->reply);
    end_request(request);
    return count;
}

static void on_done(void *data, const struct http_client_reply *reply)
{
    struct http_call *request = data;
    request->reply = *reply;
    protect_resume(request->routine);
}

// ---- arguments ----

// (name, value) -> the line of a header; an empty one is written in libcurl's own way.
static void push_header(lua_State *L) // [-0, +1, e]
{
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    if (!http_headers_is_token(name))
        luaL_error(L, "headers: names of headers expected as keys, got '%s'",
                   luaL_tolstring(L, -2, NULL));
    int type = lua_type(L, -1);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
        luaL_error(L, "headers['%s']: a text expected, got %s", name, luaL_typename(L, -1));
    lua_pushvalue(L, -1);
    size_t length;
    const char *value = lua_tolstring(L, -1, &length);
    if (strlen(value) != length || strpbrk(value, "\r\n") != NULL)
        luaL_error(L, "headers['%s']: the value is more than one line", name);
    if (length > 0)
        lua_pushfstring(L, "%s: %s", name, value);
    else
        lua_pushfstring(L, "%s;", name);
    lua_remove(L, -2);
}

static size_t count_pairs(lua_State *L, int index) // [-0, +0, e]
{
    size_t count = 0;
    lua_pushnil(L);
    for (; lua_next(L, index) != 0; lua_pop(L, 1))
        count++;
    return count;
}

// Leaves the table, the list, and what keeps the lines of the list. // [-0, +3, e]
static const char **push_request_headers(lua_State *L)
{
    int type = lua_getfield(L, 1, "headers"), table = lua_gettop(L);
    if (type != LUA_TNIL && type != LUA_TTABLE)
        luaL_error(L, "headers: a table expected, got %s", luaL_typename(L, -1));
    size_t count = 0, capacity = type == LUA_TTABLE ? count_pairs(L, table) : 0;
    const char **list = lua_newuserdatauv(L, (capacity + 1) * sizeof *list, 0);
    lua_newtable(L);
    lua_pushnil(L);
    for (; type == LUA_TTABLE && lua_next(L, table) != 0; lua_pop(L, 1)) {
        push_header(L);
        list[count++] = lua_tostring(L, -1);
        lua_rawseti(L, table + 2, (lua_Integer)count);
    }
    lua_settop(L, table + 2);
    list[count] = NULL;
    return list;
}

static struct slice body_of(lua_State *L) // [-0, +1, e]
{
    size_t length = 0;
    int type = lua_getfield(L, 1, "body");
    if (type == LUA_TNIL)
        return (struct slice){.data = NULL};
    if (type != LUA_TSTRING)
        luaL_error(L, "body: a text expected, got %s", luaL_typename(L, -1));
    const char *text = lua_tolstring(L, -1, &length);
    return (struct slice){.data = (const uint8_t *)text, .length = length};
}

static long redirects_of(lua_State *L) // [-0, +0, e]
{
    int whole = 1;
    lua_Integer count = 0;
    if (lua_getfield(L, 1, "redirects") != LUA_TNIL)
        count = lua_tointegerx(L, -1, &whole);
    if (!whole || count < 0 || count > REDIRECTS)
        luaL_error(L, "redirects: a whole number from 0 to 50 expected, got %s",
                   luaL_tolstring(L, -1, NULL));
    lua_pop(L, 1);
    return (long)count;
}

static bool flag_of(lua_State *L, const char *name) // [-0, +0, e]
{
    int type = lua_getfield(L, 1, name);
    if (type != LUA_TNIL && type != LUA_TBOOLEAN)
        luaL_error(L, "%s: true or false expected, got %s", name, luaL_typename(L, -1));
    bool flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}

static void read_request(lua_State *L, struct http_client_request *request) // [-0, +many, e]
{
    static const char *const names[] = {"url",   "method",    "headers", "body",     "timeout",
                                        "limit", "redirects", "ca_file", "insecure", NULL};
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    if (lua_type(L, 1) == LUA_TSTRING) {
        lua_createtable(L, 0, 1);
        lua_insert(L, 1);
        lua_setfield(L, 1, "url");
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    arguments_keys(L, 1, names, "mesos.http: field");
    *request = (struct http_client_request){
        .url = arguments_text(L, 1, "url"),
        .method = arguments_text(L, 1, "method"),
        .headers = push_request_headers(L),
        .body = body_of(L),
        .timeout = arguments_seconds(L, 1, "timeout", patience),
        .limit = arguments_size(L, 1, "limit", BODY_LIMIT),
        .redirects = redirects_of(L),
        .ca_file = arguments_text(L, 1, "ca_file"),
        .insecure = flag_of(L, "insecure"),
    };
    if (request->url == NULL)
        luaL_error(L, "url: a text expected, got nothing");
    if (request->method == NULL)
        request->method = request->body.data ? "POST" : "GET";
    if (!http_headers_is_token(request->method))
        luaL_error(L, "method: a word such as 'GET' expected, got '%s'", request->method);
}

static int refuse(lua_State *L, const char *text, const char *code) // [-0, +3, m]
{
    luaL_pushfail(L);
    lua_pushstring(L, text);
    lua_pushstring(L, code);
    return 3;
}

// The client is the first upvalue.
static int l_http(lua_State *L)
{
    struct http_caller *client = userdata_at(L, lua_upvalueindex(1));
    struct loop *loop = script_loop(script_of(L));
    struct http_client_request wanted;
    struct error err = {0};
    dot_call_check(L, "http");
    lua_settop(L, 1);
    struct routine *routine = protect_waiter(L, "mesos.http");
    read_request(L, &wanted);
    struct http_call *request = userdata_push(L, REQUEST_TYPE, sizeof *request, 0, end_userdata);
    request->client = client;
    int index = lua_gettop(L);
    if (client->requests >= REQUESTS)
        return refuse(L, "256 requests of mesos.http are under way already", "EAGAIN");
    if (client->http == NULL)
        client->http = curl_loop_create(loop, NULL);
    request->routine = routine;
    request->fetch = http_client_start(client->http, loop, &wanted, on_done, request, &err);
    if (request->fetch == NULL)
        return luaL_error(L, "url: %s", err.text);
    client->requests++;
    protect_waits_for(routine, abandon_request, request);
    return protect_wait(L, index, on_answered);
}

void http_open(lua_State *L)
{
    userdata_type(L, CLIENT_TYPE);
    userdata_type(L, REQUEST_TYPE);
    http_headers_open(L);
    lua_pop(L, 2);
}

void http_push(lua_State *L)
{
    userdata_push(L, CLIENT_TYPE, sizeof(struct http_caller), 0, end_client);
    lua_pushnil(L); // no finalizer: it is released after all requests, also those whose finalizer
                    // was skipped
    lua_setmetatable(L, -2);
    lua_pushcclosure(L, l_http, 1);
}
