// SPDX-License-Identifier: Apache-2.0
//
// The server of the embedded cluster. Authentication is checked first, then the route
// (http_routes.h), then the contents, in the order of a real master. The body of a request that
// will be refused is read and discarded.

#include "cluster/cluster_http_internal.h"

#include "base/memory.h"
#include "cluster/executor_http.h"
#include "cluster/http_routes.h"
#include "cluster/leader_redirect.h"
#include "operator/api_events.h"

#include <stdlib.h>
#include <string.h>

// For headers, and for pieces of bodies and of event streams.
#define CONNECTION_MEMORY ((size_t)64 << 10)
#define CONNECTION_LIMIT 10000

// ---- answers ----

static enum MHD_Result refuse_with(struct http_exchange *exchange, int status, const char *text,
                                   const char *header_name, const char *header)
{
    const struct http_answer answer = {.status = status,
                                       .type = "text/plain; charset=utf-8",
                                       .text = text,
                                       .header_name = header_name,
                                       .header = header};
    return http_exchange_answer(exchange, &answer);
}

// "GET, PUT" becomes "'GET', 'PUT'".
static char *quoted(const char *methods)
{
    struct buffer text;
    buffer_init(&text, 200);
    buffer_append_text(&text, "'");
    for (const char *at = methods; *at != '\0'; at += *at == ',' ? 2 : 1) {
        if (*at == ',')
            buffer_append_text(&text, "', '");
        else
            buffer_append(&text, at, 1);
    }
    buffer_append_text(&text, "'");
    char *copy = memory_string(buffer_string(&text));
    buffer_free(&text);
    return copy;
}

static enum MHD_Result refuse_method(struct http_exchange *exchange, const char *expected)
{
    char *list = quoted(expected);
    char *text =
        memory_format("405 Method Not Allowed. Expecting one of { %s }, but received '%s'.", list,
                      exchange->method);
    enum MHD_Result result =
        refuse_with(exchange, MHD_HTTP_METHOD_NOT_ALLOWED, text, MHD_HTTP_HEADER_ALLOW, expected);
    free(text);
    free(list);
    return result;
}

static enum MHD_Result refuse_unauthorized(const struct cluster_http *http,
                                           struct http_exchange *exchange, const char *realm)
{
    char *challenge = memory_format("%s realm=\"%s\"", http_access_scheme(http->access), realm);
    enum MHD_Result result = refuse_with(exchange, MHD_HTTP_UNAUTHORIZED, "401 Unauthorized.",
                                         MHD_HTTP_HEADER_WWW_AUTHENTICATE, challenge);
    free(challenge);
    return result;
}

// ---- the server's callbacks ----

// Returns the limit of the body: one byte if the request will be refused, so nothing is stored.
static size_t on_begin(void *data, struct http_exchange *exchange)
{
    struct cluster_http *http = data;
    struct cluster_request *request = exchange->data = memory_new(sizeof *request);
    const char *authorization = http_exchange_header(exchange, MHD_HTTP_HEADER_AUTHORIZATION);
    request->route = http_routes_find(exchange->url, &request->agent);
    request->allowed = http_access_allows(http->access, authorization, &request->principal) ||
                       (request->route != NULL && request->route->realm == NULL);
    bool has_body = request->allowed && request->route != NULL && request->route->limit != NULL;
    return has_body ? request->route->limit(http, exchange) : 1;
}

// HEAD is a GET.
static bool takes_method(const struct http_route *route, const char *method)
{
    bool head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    const char *wanted = head ? MHD_HTTP_METHOD_GET : method;
    size_t length = strlen(wanted);
    for (const char *at = route->method; at != NULL; at = strchr(at, ' ')) {
        at += *at == ' ';
        if (strncmp(at, wanted, length) == 0 && (at[length] == '\0' || at[length] == ','))
            return true;
    }
    return false;
}

// The path is the longer one that a real master has for it.
static enum MHD_Result redirect_request(const struct cluster_http *http,
                                        struct http_exchange *exchange)
{
    char *path = memory_format("/master%s", http_routes_path(exchange->url));
    enum MHD_Result result = leader_redirect(http, exchange, path, exchange->query);
    free(path);
    return result;
}

static bool is_for_agents(const struct cluster_request *request)
{
    return request->agent > 0 ||
           (request->route != NULL && request->route->answer == executor_http_answer);
}

// A slow master takes its time with each request, but not once more with those behind it.
static bool is_late(const struct cluster_http *http, const struct http_exchange *exchange)
{
    struct cluster_request *request = exchange->data;
    bool late = !request->waited && !exchange->behind && http->master->message_delay > 0;
    request->waited = true;
    return late;
}

static enum MHD_Result on_request(void *data, struct http_exchange *exchange)
{
    struct cluster_http *http = data;
    const struct cluster_request *request = exchange->data;
    const struct http_route *route = request->route;
    if (http->dead && !is_for_agents(request))
        http_exchange_break(exchange); // and what is answered below does not arrive
    if (!request->allowed)
        return refuse_unauthorized(http, exchange, route ? route->realm : "mesos-master-readonly");
    if (route == NULL)
        return http_exchange_refuse(exchange, MHD_HTTP_NOT_FOUND, "404 Not Found.");
    if (http->master == NULL && route->realm != NULL)
        return redirect_request(http, exchange);
    if (route->realm != NULL && is_late(http, exchange))
        return http_exchange_wait(exchange, http->master->message_delay);
    if (!takes_method(route, exchange->method))
        return refuse_method(exchange, route->method);
    return route->answer(http, exchange);
}

static void on_completed(void *data, struct http_exchange *exchange)
{
    struct cluster_request *request = exchange->data;
    (void)data;
    if (request == NULL)
        return;
    record_stream_destroy(request->stream);
    api_events_destroy(request->events);
    free(request);
    exchange->data = NULL;
}

static void on_left(void *data, struct http_exchange *exchange)
{
    const struct cluster_request *request = exchange->data;
    (void)data;
    record_stream_leave(request->stream);
}

// ---- life ----

struct cluster_http *cluster_http_create(struct loop *loop,
                                         const struct cluster_http_options *options,
                                         struct error *err)
{
    struct cluster_http *http = memory_new(sizeof *http);
    const struct http_server_settings settings = {.what = "the local cluster",
                                                  .begin = on_begin,
                                                  .answer = on_request,
                                                  .completed = on_completed,
                                                  .left = on_left,
                                                  .data = http,
                                                  .hosts = options->hosts,
                                                  .memory = CONNECTION_MEMORY,
                                                  .connections = CONNECTION_LIMIT};
    http->access = options->access;
    TAILQ_INIT(&http->streams);
    TAILQ_INIT(&http->executors);
    http->server = http_server_create(loop, options->listen, &settings, err);
    if (http->server != NULL)
        return http;
    cluster_http_destroy(http);
    return NULL;
}

bool cluster_http_open(const struct cluster_http *http)
{
    return http_access_open(http->access);
}

bool cluster_http_exposed(const struct cluster_http *http)
{
    return http_access_open(http->access) && !http_server_on_loopback(http->server);
}

const char *cluster_http_address(const struct cluster_http *http)
{
    return http_server_address(http->server);
}

const char *cluster_http_ip(const struct cluster_http *http)
{
    return http_server_ip(http->server);
}

unsigned cluster_http_port(const struct cluster_http *http)
{
    return http_server_port(http->server);
}

// ---- leading and standing by ----

static void set_leader(struct cluster_http *http, const char *leader, const char *reason)
{
    free(http->leader);
    free(http->reason);
    http->leader = memory_string(leader);
    http->reason = memory_string(reason);
}

void cluster_http_serve_agents(struct cluster_http *http, struct master *master)
{
    http->agents = master;
}

void cluster_http_lead(struct cluster_http *http, struct master *master)
{
    char *own = memory_format("%s:%u", master_hostname(master), cluster_http_port(http));
    set_leader(http, own, NULL);
    http->master = master;
    http->dead = false;
    free(own);
}

void cluster_http_stand_by(struct cluster_http *http, const char *leader, const char *reason)
{
    http->master = NULL;
    http->dead = false;
    record_streams_cut(&http->streams);
    set_leader(http, leader, reason);
}

void cluster_http_die(struct cluster_http *http)
{
    http->master = NULL;
    http->dead = true;
    record_streams_cut(&http->streams);
}

// ---- faults ----

bool cluster_http_cut(struct cluster_http *http, const char *stream_id)
{
    struct record_stream *stream = record_streams_find(&http->streams, stream_id);
    if (stream != NULL)
        record_stream_cut(stream);
    return stream != NULL;
}

bool cluster_http_stall(struct cluster_http *http, const char *stream_id, bool stalled)
{
    struct record_stream *stream = record_streams_find(&http->streams, stream_id);
    if (stream != NULL)
        record_stream_stall(stream, stalled);
    return stream != NULL;
}

void cluster_http_slow(struct cluster_http *http, uint64_t delay)
{
    record_streams_slow(&http->streams, delay);
}

void cluster_http_refuse(struct cluster_http *http, int status, unsigned calls)
{
    http->refused_status = status;
    http->refused_calls = calls;
}

void cluster_http_destroy(struct cluster_http *http)
{
    if (http == NULL)
        return;
    record_streams_abandon(&http->streams);
    record_streams_abandon(&http->executors);
    set_leader(http, NULL, NULL);
    http_server_destroy(http->server);
    http_access_destroy(http->access);
    message_room_free(&http->room);
    free(http);
}
