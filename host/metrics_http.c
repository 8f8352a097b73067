// SPDX-License-Identifier: Apache-2.0
//
// The endpoint of --metrics: see metrics_http.h. Requests have no bodies that anybody reads;
// connections are few, and silent ones are closed.

#include "metrics_http.h"

#include "base/memory.h"
#include "net/http_server.h"

#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS = 32, CONNECTION_MEMORY = 16 << 10, SILENCE = 30, ANSWER_MOST = 1 << 20 };

struct metrics_http {
    struct http_server *server;
    struct metrics_subject subject;
};

static enum MHD_Result on_metrics(struct metrics_http *http, struct MHD_Connection *connection)
{
    struct buffer text;
    buffer_init(&text, ANSWER_MOST);
    metrics_prometheus(&http->subject, &text);
    enum MHD_Result result =
        http_server_reply(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
                          buffer_string(&text), NULL);
    buffer_free(&text);
    return result;
}

static enum MHD_Result on_status(struct metrics_http *http, struct MHD_Connection *connection)
{
    json_t *status = metrics_json(&http->subject);
    char *text = json_dumps(status, JSON_COMPACT | JSON_REAL_PRECISION(15));
    enum MHD_Result result =
        http_server_reply(connection, MHD_HTTP_OK, "application/json", text ? text : "{}", NULL);
    free(text);
    json_decref(status);
    return result;
}

static const struct {
    const char *path;
    enum MHD_Result (*answer)(struct metrics_http *http, struct MHD_Connection *connection);
} routes[] = {{"/metrics", on_metrics}, {"/status", on_status}};

static enum MHD_Result refuse(struct MHD_Connection *connection, int status, const char *text,
                              const char *allow)
{
    return http_server_reply(connection, status, "text/plain; charset=utf-8", text, allow);
}

static enum MHD_Result route(struct metrics_http *http, struct MHD_Connection *connection,
                             const char *url, const char *method)
{
    bool reads =
        strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (strcmp(url, routes[i].path) != 0)
            continue;
        if (!reads)
            return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Use GET.\n", "GET, HEAD");
        return routes[i].answer(http, connection);
    }
    return refuse(connection, MHD_HTTP_NOT_FOUND, "There are /metrics and /status.\n", NULL);
}

// The first call of a request brings its headers only, and may not answer yet.
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **slot)
{
    static char seen;
    (void)version;
    (void)upload;
    if (*slot == NULL) {
        *slot = &seen;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    return route(data, connection, url, method);
}

struct metrics_http *metrics_http_create(struct loop *loop, const char *listen,
                                         const struct metrics_subject *subject, struct error *err)
{
    struct metrics_http *http = memory_new(sizeof *http);
    const struct http_server_settings settings = {.what = "--metrics",
                                                  .request = on_request,
                                                  .data = http,
                                                  .memory = CONNECTION_MEMORY,
                                                  .connections = CONNECTIONS,
                                                  .timeout = SILENCE};
    http->subject = *subject;
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
