// SPDX-License-Identifier: Apache-2.0
//
// A connection opened by libcurl (CURLOPT_CONNECT_ONLY): see http_connection.h. The handle stays in
// its multi, to which the connection belongs, until it is destroyed. Once the connection is open
// libcurl watches the socket no more, and a watcher of our own takes over: a block that libuv's
// close callback frees.

#include "net/http_connection.h"

#include "base/memory.h"
#include "loop/loop_uv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct watcher {
    uv_poll_t poll;
    struct http_connection *connection;
    int events;
};

struct http_connection {
    struct loop *loop;
    struct http *http;
    struct http_request request;
    struct watcher *watcher; // NULL until it is open
    enum http_connection_state state;
    const struct http_connection_events *events;
    void *data;
    char why[256]; // the owner's reason to give it up, or empty
};

// ---- the socket ----

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct watcher *watcher)
{
    uv_poll_start(&watcher->poll, watcher->events, on_poll);
}

// libuv stops a watcher that it reports an error on; which one it is comes out by reading.
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watcher *watcher = poll->data;
    (void)events;
    if (status < 0)
        watch(watcher);
    watcher->connection->events->ready(watcher->connection->data);
}

static void on_watcher_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static bool add_watcher(struct http_connection *connection)
{
    curl_socket_t socket = CURL_SOCKET_BAD;
    curl_easy_getinfo(connection->request.easy, CURLINFO_ACTIVESOCKET, &socket);
    struct watcher *watcher = memory_new(sizeof *watcher);
    if (socket == CURL_SOCKET_BAD ||
        uv_poll_init_socket(loop_uv_handle(connection->loop), &watcher->poll, socket) != 0) {
        free(watcher);
        return false;
    }
    watcher->poll.data = watcher;
    watcher->connection = connection;
    watcher->events = UV_READABLE;
    connection->watcher = watcher;
    watch(watcher);
    return true;
}

void http_connection_watch(struct http_connection *connection, bool writable)
{
    struct watcher *watcher = connection->watcher;
    int events = UV_READABLE | (writable ? UV_WRITABLE : 0);
    if (watcher == NULL || watcher->events == events)
        return;
    watcher->events = events;
    watch(watcher);
}

// ---- bytes ----

bool http_connection_write(struct http_connection *connection, const uint8_t *bytes, size_t length,
                           size_t *done)
{
    CURLcode result = curl_easy_send(connection->request.easy, bytes, length, done);
    if (result == CURLE_AGAIN)
        *done = 0;
    else
        connection->request.result = result;
    return result == CURLE_OK || result == CURLE_AGAIN;
}

bool http_connection_read(struct http_connection *connection, uint8_t *space, size_t room,
                          size_t *done)
{
    CURLcode result = curl_easy_recv(connection->request.easy, space, room, done);
    if (result == CURLE_AGAIN)
        *done = 0;
    else if (result == CURLE_OK && *done == 0)
        result = CURLE_GOT_NOTHING;
    if (result == CURLE_OK || result == CURLE_AGAIN)
        return true;
    connection->request.result = result;
    return false;
}

struct http_reply http_connection_reply(struct http_connection *connection, int status,
                                        const char *location, const char *challenge,
                                        struct slice body)
{
    struct http_request *request = &connection->request;
    request->answered = true;
    request->result = CURLE_OK;
    request->status = status;
    snprintf(request->location, sizeof request->location, "%s", location);
    snprintf(request->challenge, sizeof request->challenge, "%s", challenge);
    buffer_clear(&request->body);
    http_request_keep(request, body.data, body.length);
    return http_request_reply(request);
}

// ---- the end ----

void http_connection_fail(struct http_connection *connection, const char *why)
{
    snprintf(connection->why, sizeof connection->why, "%s", why);
}

const char *http_connection_failure(struct http_connection *connection, bool begun)
{
    struct http_request *request = &connection->request;
    if (connection->why[0])
        return connection->why;
    if (request->result == CURLE_OK)
        request->result = CURLE_GOT_NOTHING;
    if (request->result == CURLE_GOT_NOTHING && begun)
        request->result = CURLE_PARTIAL_FILE;
    return http_request_failure(request);
}

// ---- life ----

static void on_opened(void *data)
{
    struct http_connection *connection = data;
    bool open = connection->request.result == CURLE_OK;
    if (open && !(open = add_watcher(connection)))
        http_connection_fail(connection, "the connection cannot be watched");
    connection->state = open ? HTTP_CONNECTION_OPEN : HTTP_CONNECTION_FAILED;
    connection->events->opened(connection->data);
}

static const struct http_request_events request_events = {.done = on_opened};

struct http_connection *http_connection_create(struct loop *loop, const struct url *master,
                                               const struct tls_options *tls,
                                               const struct http_request_options *options,
                                               const struct http_connection_events *events,
                                               void *data)
{
    struct http_connection *connection = memory_new(sizeof *connection);
    connection->loop = loop;
    connection->http = http_create(loop, tls);
    connection->events = events;
    connection->data = data;
    http_request_init(&connection->request, connection->http, master, NULL, options,
                      &request_events, connection);
    http_request_connect(&connection->request);
    return connection;
}

void http_connection_destroy(struct http_connection *connection)
{
    if (connection == NULL)
        return;
    if (connection->watcher != NULL)
        uv_close((uv_handle_t *)&connection->watcher->poll, on_watcher_closed);
    http_request_free(&connection->request);
    http_destroy(connection->http);
    free(connection);
}

enum http_connection_state http_connection_state(const struct http_connection *connection)
{
    return connection->state;
}
