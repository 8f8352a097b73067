// SPDX-License-Identifier: Apache-2.0
//
// The server of the embedded cluster: its routes. Authentication is checked first, then the route,
// then the contents, in the order of a real master. The body of a request that will be refused is
// read and discarded.

#include "cluster/cluster_http_internal.h"

#include "base/memory.h"
#include "cluster/http_negotiation.h"
#include "cluster/maintenance_http.h"
#include "cluster/scheduler_http.h"
#include "operator/status_document.h"

#include <stdlib.h>
#include <string.h>

#define CONNECTION_MEMORY                                                                          \
    ((size_t)64 << 10) // headers, and the largest chunk; cleared for each call
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

static enum MHD_Result refuse_method(struct http_exchange *exchange, const char *expected)
{
    const char *comma = strchr(expected, ',');
    size_t first = comma ? (size_t)(comma - expected) : strlen(expected);
    char *text = memory_format(
        "405 Method Not Allowed. Expecting one of { '%.*s%s%s' }, but received '%s'.", (int)first,
        expected, comma ? "', '" : "", comma ? comma + 2 : "", exchange->method);
    enum MHD_Result result =
        refuse_with(exchange, MHD_HTTP_METHOD_NOT_ALLOWED, text, MHD_HTTP_HEADER_ALLOW, expected);
    free(text);
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

static enum MHD_Result answer_with(struct http_exchange *exchange, int status, const char *type,
                                   const char *text)
{
    const struct http_answer answer = {.status = status, .type = type, .text = text};
    return http_exchange_answer(exchange, &answer);
}

// ---- the routes ----

static enum MHD_Result on_health(struct cluster_http *http, struct http_exchange *exchange)
{
    (void)http;
    return answer_with(exchange, MHD_HTTP_OK, NULL, "");
}

// As a real master does: the path in its longer form, the query, and no scheme.
static enum MHD_Result redirect(const struct cluster_http *http, struct http_exchange *exchange,
                                const char *path, const char *query)
{
    if (http->leader == NULL)
        return http_exchange_refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, http->reason);
    char *location =
        memory_format("//%s%s%s%s", http->leader, path, query ? "?" : "", query ? query : "");
    const struct http_answer answer = {.status = MHD_HTTP_TEMPORARY_REDIRECT,
                                       .text = "",
                                       .header_name = MHD_HTTP_HEADER_LOCATION,
                                       .header = location};
    enum MHD_Result result = http_exchange_answer(exchange, &answer);
    free(location);
    return result;
}

static enum MHD_Result on_redirect(struct cluster_http *http, struct http_exchange *exchange)
{
    return redirect(http, exchange, "", NULL);
}

static enum MHD_Result on_state(struct cluster_http *http, struct http_exchange *exchange)
{
    char *state = status_document(http->master);
    enum MHD_Result result = answer_with(exchange, MHD_HTTP_OK, HTTP_JSON, state);
    free(state);
    return result;
}

static const struct http_route routes[] = {
    {"/api/v1/scheduler", MHD_HTTP_METHOD_POST, "mesos-master-scheduler", scheduler_http_limit,
     scheduler_http_answer},
    {"/health", MHD_HTTP_METHOD_GET, NULL, NULL, on_health},
    {"/redirect", MHD_HTTP_METHOD_GET, NULL, NULL, on_redirect},
    {"/state", MHD_HTTP_METHOD_GET, "mesos-master-readonly", NULL, on_state},
    {"/maintenance/schedule", "GET, POST", "mesos-master-readwrite", maintenance_http_limit,
     maintenance_http_schedule},
    {"/maintenance/status", MHD_HTTP_METHOD_GET, "mesos-master-readonly", NULL,
     maintenance_http_status},
    {"/machine/down", MHD_HTTP_METHOD_POST, "mesos-master-readwrite", maintenance_http_limit,
     maintenance_http_down},
    {"/machine/up", MHD_HTTP_METHOD_POST, "mesos-master-readwrite", maintenance_http_limit,
     maintenance_http_up},
};

// Without the authority of an absolute URI, further slashes and "/master" in front.
static const char *short_path(const char *url)
{
    const char *authority = *url != '/' ? strstr(url, "://") : NULL;
    if (authority != NULL)
        url = authority + 3 + strcspn(authority + 3, "/");
    while (url[0] == '/' && url[1] == '/')
        url++;
    return strncmp(url, "/master/", 8) == 0 ? url + 7 : url;
}

// Slashes at the end are ignored.
static bool path_is(const char *url, const char *path)
{
    url = short_path(url);
    size_t length = strlen(path);
    return strncmp(url, path, length) == 0 && url[length + strspn(url + length, "/")] == '\0';
}

static const struct http_route *find_route(const char *url)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (path_is(url, routes[i].path))
            return &routes[i];
    return NULL;
}

// ---- the server's callbacks ----

// Returns the limit of the body: one byte if the request will be refused, so nothing is stored.
static size_t on_begin(void *data, struct http_exchange *exchange)
{
    struct cluster_http *http = data;
    struct cluster_request *request = exchange->data = memory_new(sizeof *request);
    const char *authorization = http_exchange_header(exchange, MHD_HTTP_HEADER_AUTHORIZATION);
    request->route = find_route(exchange->url);
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
    char *path = memory_format("/master%s", short_path(exchange->url));
    enum MHD_Result result = redirect(http, exchange, path, exchange->query);
    free(path);
    return result;
}

static enum MHD_Result on_request(void *data, struct http_exchange *exchange)
{
    struct cluster_http *http = data;
    const struct cluster_request *request = exchange->data;
    const struct http_route *route = request->route;
    if (!request->allowed)
        return refuse_unauthorized(http, exchange, route ? route->realm : "mesos-master-readonly");
    if (route == NULL)
        return http_exchange_refuse(exchange, MHD_HTTP_NOT_FOUND, "404 Not Found.");
    if (http->master == NULL && route->realm != NULL)
        return redirect_request(http, exchange);
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
    http->server = http_server_create(loop, options->listen, &settings, err);
    if (http->server != NULL)
        return http;
    cluster_http_destroy(http);
    return NULL;
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

void cluster_http_lead(struct cluster_http *http, struct master *master)
{
    char *own = memory_format("%s:%u", master_hostname(master), cluster_http_port(http));
    set_leader(http, own, NULL);
    http->master = master;
    free(own);
}

void cluster_http_stand_by(struct cluster_http *http, const char *leader, const char *reason)
{
    http->master = NULL;
    record_streams_cut(&http->streams);
    set_leader(http, leader, reason);
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
    http->delay = delay;
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
    set_leader(http, NULL, NULL);
    http_server_destroy(http->server);
    http_access_destroy(http->access);
    free(http);
}
