// SPDX-License-Identifier: Apache-2.0
//
// The endpoint of --metrics: see metrics_http.h. Requests have no bodies, and connections are few.

#include "ops/metrics_http.h"

#include "base/memory.h"
#include "net/http_server.h"

#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS = 32, CONNECTION_MEMORY = 16 << 10, ANSWER_MOST = 1 << 20 };

struct metrics_http {
    struct http_server *server;
    const struct session *session;
};

static enum MHD_Result on_metrics(struct metrics_http *http, struct http_exchange *exchange)
{
    struct buffer text;
    buffer_init(&text, ANSWER_MOST);
    metrics_prometheus(http->session, &text);
    const struct http_answer answer = {.status = MHD_HTTP_OK,
                                       .type = "text/plain; version=0.0.4; charset=utf-8",
                                       .text = buffer_string(&text)};
    enum MHD_Result result = http_exchange_answer(exchange, &answer);
    buffer_free(&text);
    return result;
}

static enum MHD_Result on_status(struct metrics_http *http, struct http_exchange *exchange)
{
    json_t *status = metrics_json(http->session);
    char *text = json_dumps(status, JSON_COMPACT | JSON_REAL_PRECISION(15));
    const struct http_answer answer = {
        .status = MHD_HTTP_OK, .type = "application/json", .text = text ? text : "{}"};
    enum MHD_Result result = http_exchange_answer(exchange, &answer);
    free(text);
    json_decref(status);
    return result;
}

static const struct {
    const char *path;
    enum MHD_Result (*answer)(struct metrics_http *http, struct http_exchange *exchange);
} routes[] = {{"/metrics", on_metrics}, {"/status", on_status}};

static enum MHD_Result refuse_method(struct http_exchange *exchange)
{
    const struct http_answer answer = {.status = MHD_HTTP_METHOD_NOT_ALLOWED,
                                       .type = "text/plain; charset=utf-8",
                                       .text = "Use GET.\n",
                                       .header_name = MHD_HTTP_HEADER_ALLOW,
                                       .header = "GET, HEAD"};
    return http_exchange_answer(exchange, &answer);
}

static enum MHD_Result on_request(void *data, struct http_exchange *exchange)
{
    bool reads = strcmp(exchange->method, MHD_HTTP_METHOD_GET) == 0 ||
                 strcmp(exchange->method, MHD_HTTP_METHOD_HEAD) == 0;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (strcmp(exchange->url, routes[i].path) != 0)
            continue;
        return reads ? routes[i].answer(data, exchange) : refuse_method(exchange);
    }
    return http_exchange_refuse(exchange, MHD_HTTP_NOT_FOUND, "There are /metrics and /status.\n");
}

struct metrics_http *metrics_http_create(struct loop *loop, const char *listen, const char *hosts,
                                         const struct session *session, struct error *err)
{
    struct metrics_http *http = memory_new(sizeof *http);
    const struct http_server_settings settings = {.what = "--metrics",
                                                  .answer = on_request,
                                                  .data = http,
                                                  .hosts = hosts,
                                                  .memory = CONNECTION_MEMORY,
                                                  .connections = CONNECTIONS};
    http->session = session;
    http->server = http_server_create(loop, listen, &settings, err);
    if (http->server != NULL)
        return http;
    error_context(err, "--metrics");
    free(http);
    return NULL;
}

const char *metrics_http_address(const struct metrics_http *http)
{
    return http_server_address(http->server);
}

void metrics_http_destroy(struct metrics_http *http)
{
    if (http == NULL)
        return;
    http_server_destroy(http->server);
    free(http);
}
