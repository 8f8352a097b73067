// SPDX-License-Identifier: Apache-2.0
//
// Scripts that serve HTTP: see serve.h. The registry keeps a server's object under its own address
// until it is closed, so that a script need not. A request that is being handled is a block of its
// own, which lives until its routine has ended; it may be answered before, when its time is over.

#include "bindings/lib/serve.h"

#include "base/log.h"
#include "base/memory.h"
#include "bindings/core/dot_call.h"
#include "bindings/core/scratch.h"
#include "bindings/core/userdata.h"
#include "bindings/lib/http_headers.h"
#include "bindings/message/arguments.h"
#include "bindings/scheduler/scheduler.h"
#include "net/http_service.h"
#include "script/protect.h"

#include <lauxlib.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SERVER_TYPE "mesos.Server"

enum {
    BODY_LIMIT = 1 << 20, // bytes of a request
    REQUESTS = 256,       // that are being handled
    REQUESTS_MOST = 100000,
};

static const double patience = 60; // seconds for a handler

static const struct title title = {.kind = "handler", .name = "of mesos.serve"};

struct script_server {
    struct userdata base;
    struct script *script;
    struct http_service *service; // NULL: closed, or only checked
    int handler;                  // registry reference
    double timeout;               // seconds; infinite: none
    char address[80];
};

struct served_request {
    struct script *script;
    struct service_request *request; // NULL: it was answered
    int handler;                     // of its server
    struct timer timer;
    double timeout;
};

// ---- the request ----

static void on_header(void *data, const char *name, const char *value)
{
    http_headers_add(data, slice_text(name), slice_text(value));
}

static void on_argument(void *data, const char *name, const char *value)
{
    lua_State *L = data;
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

// libmicrohttpd calls the functions for headers and arguments, and has nothing to release if they
// raise for want of memory. // [-0, +1, m]
static void push_request(lua_State *L, const struct http_exchange *exchange)
{
    char peer[80];
    http_exchange_peer(exchange, peer, sizeof peer);
    lua_createtable(L, 0, 6);
    set_text(L, "method", exchange->method);
    set_text(L, "path", exchange->url);
    set_text(L, "peer", peer);
    lua_pushlstring(L, exchange->body.length ? (const char *)exchange->body.data : "",
                    exchange->body.length);
    lua_setfield(L, -2, "body");
    lua_newtable(L);
    http_exchange_arguments(exchange, on_argument, L);
    lua_setfield(L, -2, "query");
    lua_newtable(L);
    http_exchange_headers(exchange, on_header, L);
    http_headers_adopt(L);
    lua_setfield(L, -2, "headers");
}

// ---- the answer ----

static lua_Integer read_status(lua_State *L) // of the table at 1 // [-0, +0, e]
{
    int whole = 1;
    lua_Integer status = 200;
    if (lua_getfield(L, 1, "status") != LUA_TNIL)
        status = lua_tointegerx(L, -1, &whole);
    if (!whole || status < 200 || status > 599)
        luaL_error(L, "status: a whole number from 200 to 599 expected, got %s",
                   luaL_tolstring(L, -1, NULL));
    lua_pop(L, 1);
    return status;
}

// Appends "Name: value\n" for the pair at the top. // [-0, +0, e]
static void add_line(lua_State *L, struct buffer *lines)
{
    static const char *const own[] = {"content-length", "transfer-encoding", "connection"};
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    if (!http_headers_is_token(name))
        luaL_error(L, "headers: names of headers expected as keys, got '%s'",
                   luaL_tolstring(L, -2, NULL));
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcasecmp(name, own[i]) == 0)
            luaL_error(L, "headers['%s']: the server sets that itself", name);
    if (lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER)
        luaL_error(L, "headers['%s']: a text expected, got %s", name, luaL_typename(L, -1));
    size_t length;
    const char *value = luaL_tolstring(L, -1, &length);
    if (strlen(value) != length || strpbrk(value, "\r\n") != NULL)
        luaL_error(L, "headers['%s']: the value is more than one line", name);
    buffer_format(lines, "%s: %s\n", name, value);
    lua_pop(L, 1);
}

// Pushes the lines of the headers in the table at 1; those without a type get one. // [-0, +1, e]
static void push_lines(lua_State *L)
{
    bool typed = false;
    struct buffer *lines = scratch_push(L);
    int type = lua_getfield(L, 1, "headers");
    if (type != LUA_TNIL && type != LUA_TTABLE)
        luaL_error(L, "headers: a table expected, got %s", luaL_typename(L, -1));
    lua_pushnil(L);
    for (; type == LUA_TTABLE && lua_next(L, -2) != 0; lua_pop(L, 1)) {
        add_line(L, lines);
        typed = typed || strcasecmp(lua_tostring(L, -2), "content-type") == 0;
    }
    if (!typed)
        buffer_append_text(lines, "Content-Type: text/plain; charset=utf-8\n");
    lua_pushstring(L, buffer_string(lines));
    buffer_free(lines);
}

// The answer as status, body and lines of headers. // [-n, +3, e]
static int on_returned(lua_State *L, int status, lua_KContext context)
{
    static const char *const names[] = {"status", "headers", "body", NULL};
    (void)status, (void)context;
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    lua_settop(L, 1);
    if (lua_type(L, 1) == LUA_TSTRING) {
        lua_createtable(L, 0, 1);
        lua_insert(L, 1);
        lua_setfield(L, 1, "body");
    }
    if (!lua_istable(L, 1))
        luaL_error(L,
                   "the handler returned %s: a text, or a table with status, headers and body, "
                   "expected",
                   lua_isnil(L, 1) ? "nothing" : luaL_typename(L, 1));
    arguments_keys(L, 1, names, "the answer of the handler: field");
    lua_Integer code = read_status(L);
    int type = lua_getfield(L, 1, "body");
    if (type != LUA_TNIL && type != LUA_TSTRING)
        luaL_error(L, "body: a text expected, got %s", luaL_typename(L, -1));
    if ((code == 204 || code == 304) && type == LUA_TSTRING && lua_rawlen(L, -1) > 0)
        luaL_error(L, "body: an answer with status %d has none", (int)code);
    push_lines(L);
    int lines = lua_gettop(L);
    lua_pushinteger(L, code);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, lines);
    return 3;
}

// (handler, request)
static int l_handle(lua_State *L)
{
    lua_callk(L, 1, LUA_MULTRET, 0, on_returned);
    return on_returned(L, LUA_OK, 0);
}

static int l_prepare(lua_State *L) // [-0, +3, e]
{
    const struct served_request *served = lua_touserdata(L, 1);
    luaL_checkstack(L, 10, "a request");
    lua_pushcfunction(L, l_handle);
    lua_rawgeti(L, LUA_REGISTRYINDEX, served->handler);
    push_request(L, service_request_exchange(served->request));
    return 3;
}

// ---- handling ----

static void answer(struct served_request *served, const struct http_answer *with)
{
    struct service_request *request = served->request;
    served->request = NULL;
    timer_stop(&served->timer);
    if (request != NULL)
        service_request_answer(request, with);
}

static void answer_text(struct served_request *served, int status, const char *text)
{
    const struct http_answer with = {
        .status = status, .type = "text/plain; charset=utf-8", .text = text};
    answer(served, &with);
}

static void answer_result(struct served_request *served, const struct protect_end *end)
{
    size_t length;
    const char *body = lua_tolstring(end->L, -2, &length);
    const struct http_answer with = {.status = (int)lua_tointeger(end->L, -3),
                                     .text = body ? body : "",
                                     .length = body ? length : 0,
                                     .headers = lua_tostring(end->L, -1)};
    answer(served, &with);
}

static void on_handled(void *data, const struct protect_end *end)
{
    struct served_request *served = data;
    if (end->outcome == PROTECT_DONE) {
        answer_result(served, end);
    } else if (end->outcome == PROTECT_RAISED) {
        log_error("handler of mesos.serve: %s", end->text);
        answer_text(served, 500, "500 Internal Server Error\n");
        script_failed(served->script, "a handler of mesos.serve", end->text);
    } else {
        answer_text(served, 503, "503 Service Unavailable: the script was ended or replaced.\n");
    }
    free(served);
}

static void on_late(void *data)
{
    struct served_request *served = data;
    log_warning("a handler of mesos.serve has waited for %g s: it is ended, and its request is "
                "answered with 504",
                served->timeout);
    answer_text(served, 504, "504 Gateway Timeout\n");
    protect_abandon(served->script, on_handled, served);
}

static void on_request(void *data, struct service_request *request)
{
    const struct script_server *server = data;
    struct served_request *served = memory_new(sizeof *served);
    *served = (struct served_request){.script = server->script,
                                      .request = request,
                                      .handler = server->handler,
                                      .timeout = server->timeout};
    timer_init(&served->timer, script_loop(server->script), on_late, served);
    if (isfinite(server->timeout))
        timer_start(&served->timer, loop_seconds(server->timeout));
    protect_dispatch(server->script, &title, l_prepare, served, on_handled, served);
}

// ---- the server ----

static void close_server(lua_State *L, struct script_server *server) // [-0, +0, -]
{
    if (server->service != NULL)
        http_service_close(server->service);
    server->service = NULL;
    luaL_unref(L, LUA_REGISTRYINDEX, server->handler);
    server->handler = LUA_NOREF;
}

static void end_server(lua_State *L, struct userdata *userdata)
{
    close_server(L, (struct script_server *)userdata);
}

static int l_close(lua_State *L) // [-n, +0, e]
{
    struct script_server *server = userdata_check(L, 1, SERVER_TYPE);
    close_server(L, server);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, server);
    return 0;
}

static int l_index(lua_State *L) // [-2, +1, e]
{
    const struct script_server *server = userdata_check(L, 1, SERVER_TYPE);
    const char *name = luaL_checkstring(L, 2);
    if (strcmp(name, "address") == 0)
        lua_pushstring(L, server->address);
    else if (strcmp(name, "close") == 0)
        lua_pushcfunction(L, l_close);
    else
        return luaL_error(L, "a server has no '%s': address and close() are what it has", name);
    return 1;
}

static int l_tostring(lua_State *L) // [-1, +1, e]
{
    const struct script_server *server = userdata_check(L, 1, SERVER_TYPE);
    lua_pushfstring(L, "server %s%s", server->address,
                    server->handler == LUA_NOREF ? " (closed)" : "");
    return 1;
}

// ---- arguments ----

static void read_tls(lua_State *L, struct http_service_settings *settings) // [-0, +many, e]
{
    static const char *const names[] = {"cert", "key", NULL};
    int type = lua_getfield(L, 1, "tls"), table = lua_gettop(L);
    if (type == LUA_TNIL)
        return;
    if (type != LUA_TTABLE)
        luaL_error(L, "tls: a table with cert and key expected, got %s", luaL_typename(L, -1));
    arguments_keys(L, table, names, "mesos.serve: tls: field");
    settings->cert = arguments_text(L, table, "cert");
    settings->key = arguments_text(L, table, "key");
    if (settings->cert == NULL || settings->key == NULL)
        luaL_error(L, "tls: cert and key, the names of files in PEM, expected");
}

// Names in a list, as "a,b". // [-0, +1, e]
static const char *read_hosts(lua_State *L, const char *also)
{
    int type = lua_getfield(L, 1, "hosts"), table = lua_gettop(L);
    if (type != LUA_TNIL && type != LUA_TTABLE)
        luaL_error(L, "hosts: a list of names expected, got %s", luaL_typename(L, -1));
    lua_pushstring(L, also ? also : "");
    for (lua_Integer i = 1; type == LUA_TTABLE && lua_rawgeti(L, table, i) != LUA_TNIL; i++) {
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "hosts[%d]: a name expected, got %s", (int)i, luaL_typename(L, -1));
        lua_pushfstring(L, "%s%s%s", lua_tostring(L, -2), *lua_tostring(L, -2) ? "," : "",
                        lua_tostring(L, -1));
        lua_copy(L, -1, table + 1);
        lua_settop(L, table + 1);
    }
    lua_settop(L, table + 1);
    return *lua_tostring(L, -1) ? lua_tostring(L, -1) : NULL;
}

static unsigned read_requests(lua_State *L) // [-0, +0, e]
{
    int whole = 1;
    lua_Integer count = REQUESTS;
    if (lua_getfield(L, 1, "requests") != LUA_TNIL)
        count = lua_tointegerx(L, -1, &whole);
    if (!whole || count < 1 || count > REQUESTS_MOST)
        luaL_error(L, "requests: a whole number from 1 to %d expected, got %s", REQUESTS_MOST,
                   luaL_tolstring(L, -1, NULL));
    lua_pop(L, 1);
    return (unsigned)count;
}

// The handler is left on top. // [-0, +many, e]
static void read_arguments(lua_State *L, const struct scheduler_environment *environment,
                           struct http_service_settings *settings, double *timeout)
{
    static const char *const names[] = {"address", "handler",  "tls",     "hosts",
                                        "limit",   "requests", "timeout", NULL};
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    luaL_checktype(L, 1, LUA_TTABLE);
    arguments_keys(L, 1, names, "mesos.serve: field");
    settings->address = arguments_text(L, 1, "address");
    if (settings->address == NULL)
        luaL_error(L, "address: a text such as \"127.0.0.1:8080\" expected, got nothing");
    read_tls(L, settings);
    settings->hosts = read_hosts(L, environment->allow_hosts);
    settings->body_limit = arguments_size(L, 1, "limit", BODY_LIMIT);
    settings->requests = read_requests(L);
    *timeout = arguments_seconds(L, 1, "timeout", patience);
    if (lua_getfield(L, 1, "handler") != LUA_TFUNCTION)
        luaL_error(L, "handler: a function expected, got %s", luaL_typename(L, -1));
}

static int refuse(lua_State *L, const char *text, int fault) // [-0, +3, m]
{
    const char *name = strerrorname_np(fault);
    luaL_pushfail(L);
    lua_pushstring(L, text);
    lua_pushstring(L, name && fault != 0 ? name : "EINVAL");
    return 3;
}

// The environment is the first upvalue.
static int l_serve(lua_State *L) // [-n, +1|3, e]
{
    const struct scheduler_environment *environment = lua_touserdata(L, lua_upvalueindex(1));
    struct http_service_settings settings = {.request = on_request};
    struct error err = {0};
    double timeout;
    dot_call_check(L, "serve");
    lua_settop(L, 1);
    read_arguments(L, environment, &settings, &timeout);
    if (environment->http_services == NULL && !environment->checking)
        return luaL_error(L, "mesos.serve: this needs a host, as mesos-lua is");
    struct script_server *server = userdata_push(L, SERVER_TYPE, sizeof *server, 0, end_server);
    server->script = script_of(L);
    server->timeout = timeout;
    server->handler = LUA_NOREF;
    lua_pushvalue(L, -2);
    server->handler = luaL_ref(L, LUA_REGISTRYINDEX);
    snprintf(server->address, sizeof server->address, "%s", settings.address);
    if (environment->checking)
        return 1;
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, server);
    settings.owner = server->script;
    settings.data = server;
    errno = 0;
    server->service = http_service_open(environment->http_services, &settings, &err);
    if (server->service == NULL) {
        int fault = errno;
        lua_pushnil(L);
        lua_rawsetp(L, LUA_REGISTRYINDEX, server);
        return refuse(L, err.text, fault);
    }
    snprintf(server->address, sizeof server->address, "%s", http_service_address(server->service));
    return 1;
}

static int l_refused(lua_State *L) // [-n, +0, v]
{
    return luaL_error(L, "mesos.serve is not available in the sandbox (--sandbox) without "
                         "--allow-serve");
}

void serve_push_refused(lua_State *L)
{
    lua_pushcfunction(L, l_refused);
}

void serve_push(lua_State *L, struct scheduler_environment *environment)
{
    lua_pushlightuserdata(L, environment);
    lua_pushcclosure(L, l_serve, 1);
}

void serve_open(lua_State *L)
{
    userdata_type(L, SERVER_TYPE);
    lua_pushcfunction(L, l_index);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, l_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 1);
}
