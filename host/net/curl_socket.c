// SPDX-License-Identifier: Apache-2.0
//
// A connection opened by libcurl (CURLOPT_CONNECT_ONLY): see curl_socket.h. The handle stays in
// its multi, to which the connection belongs, until it is destroyed. Once the connection is open
// libcurl watches the socket no more, and a watcher of our own takes over: a block that libuv's
// close callback frees.

#include "net/curl_socket.h"

#include "base/memory.h"
#include "loop/loop_uv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct watcher {
    uv_poll_t poll;
    struct curl_socket *connection;
    int events;
};

struct curl_socket {
    struct loop *loop;
    struct curl_loop *http;
    struct curl_request request;
    struct watcher *watcher; // NULL until it is open
    enum curl_socket_state state;
    const struct curl_socket_events *events;
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

static bool add_watcher(struct curl_socket *connection)
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

void curl_socket_watch(struct curl_socket *connection, bool writable)
{
    struct watcher *watcher = connection->watcher;
    int events = UV_READABLE | (writable ? UV_WRITABLE : 0);
    if (watcher == NULL || watcher->events == events)
        return;
    watcher->events = events;
    watch(watcher);
}

// ---- bytes ----

bool curl_socket_write(struct curl_socket *connection, const uint8_t *bytes, size_t length,
                       size_t *done)
{
    CURLcode result = curl_easy_send(connection->request.easy, bytes, length, done);
    if (result == CURLE_AGAIN)
        *done = 0;
    else
        connection->request.result = result;
    return result == CURLE_OK || result == CURLE_AGAIN;
}

bool curl_socket_read(struct curl_socket *connection, uint8_t *space, size_t room, size_t *done)
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

struct http_reply curl_socket_reply(struct curl_socket *connection, int status,
                                    const char *location, const char *challenge, struct slice body)
{
    struct curl_request *request = &connection->request;
    request->answered = true;
    request->result = CURLE_OK;
    request->status = status;
    snprintf(request->location, sizeof request->location, "%s", location);
    snprintf(request->challenge, sizeof request->challenge, "%s", challenge);
    buffer_clear(&request->body);
    curl_request_keep(request, body.data, body.length);
    return curl_request_reply(request);
}

// ---- the end ----

void curl_socket_fail(struct curl_socket *connection, const char *why)
{
    snprintf(connection->why, sizeof connection->why, "%s", why);
}

const char *curl_socket_failure(struct curl_socket *connection, bool begun)
{
    struct curl_request *request = &connection->request;
    if (connection->why[0])
        return connection->why;
    if (request->result == CURLE_OK)
        request->result = CURLE_GOT_NOTHING;
    if (request->result == CURLE_GOT_NOTHING && begun)
        request->result = CURLE_PARTIAL_FILE;
    return curl_request_failure(request);
}

// ---- life ----

static void on_opened(void *data)
{
    struct curl_socket *connection = data;
    bool open = connection->request.result == CURLE_OK;
    if (open && !(open = add_watcher(connection)))
        curl_socket_fail(connection, "the connection cannot be watched");
    connection->state = open ? CURL_SOCKET_OPEN : CURL_SOCKET_FAILED;
    connection->events->opened(connection->data);
}

static const struct curl_request_events request_events = {.done = on_opened};

struct curl_socket *curl_socket_create(struct loop *loop, const struct url *master,
                                       const struct tls_options *tls,
                                       const struct curl_request_options *options,
                                       const struct curl_socket_events *events, void *data)
{
    struct curl_socket *connection = memory_new(sizeof *connection);
    connection->loop = loop;
    connection->http = curl_loop_create(loop, tls);
    connection->events = events;
    connection->data = data;
    curl_request_init(&connection->request, connection->http, master, NULL, options,
                      &request_events, connection);
    curl_request_connect(&connection->request);
    return connection;
}

void curl_socket_destroy(struct curl_socket *connection)
{
    if (connection == NULL)
        return;
    if (connection->watcher != NULL)
        uv_close((uv_handle_t *)&connection->watcher->poll, on_watcher_closed);
    curl_request_free(&connection->request);
    curl_loop_destroy(connection->http);
    free(connection);
}

enum curl_socket_state curl_socket_state(const struct curl_socket *connection)
{
    return connection->state;
}
