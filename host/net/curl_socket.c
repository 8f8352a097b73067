// SPDX-License-Identifier: Apache-2.0
//
// A connection opened by libcurl (CURLOPT_CONNECT_ONLY): see curl_socket.h. The handle stays in
// its multi, to which the connection belongs, until it is destroyed. Once the connection is open
// libcurl no longer watches the socket, and a watcher of our own does.

#include "net/curl_socket.h"

#include "base/memory.h"
#include "loop/poll_watcher.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct curl_socket {
    struct loop *loop;
    struct curl_loop *curl_loop;
    struct curl_request request;
    struct poll_watcher *watcher; // NULL until it is open
    enum curl_socket_state state;
    bool layered; // its bytes go through TLS
    bool closed;  // by the peer: an end follows what is left to read
    const struct curl_socket_events *events;
    void *data;
    char why[256]; // the owner's reason to give it up, or empty
};

// ---- the socket ----

static void on_ready(void *data, int fd, int events)
{
    struct curl_socket *connection = data;
    (void)fd;
    connection->closed |= (events & UV_DISCONNECT) != 0;
    connection->events->ready(connection->data);
}

static bool add_watcher(struct curl_socket *connection)
{
    curl_socket_t socket = CURL_SOCKET_BAD;
    curl_easy_getinfo(connection->request.easy, CURLINFO_ACTIVESOCKET, &socket);
    if (socket != CURL_SOCKET_BAD)
        connection->watcher =
            poll_watcher_create(connection->loop, socket, on_ready, connection, NULL);
    return connection->watcher != NULL &&
           poll_watcher_start(connection->watcher, UV_READABLE | UV_DISCONNECT);
}

void curl_socket_watch(struct curl_socket *connection, bool writable)
{
    if (connection->watcher != NULL)
        poll_watcher_start(connection->watcher,
                           UV_READABLE | UV_DISCONNECT | (writable ? UV_WRITABLE : 0));
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

bool curl_socket_read(struct curl_socket *connection, uint8_t *data, size_t size, size_t *done)
{
    CURLcode result = curl_easy_recv(connection->request.easy, data, size, done);
    if (result == CURLE_AGAIN)
        *done = 0;
    else if (result == CURLE_OK && *done == 0)
        result = CURLE_GOT_NOTHING;
    if (result == CURLE_OK || result == CURLE_AGAIN)
        return true;
    connection->request.result = result;
    return false;
}

bool curl_socket_may_have_more(const struct curl_socket *connection, size_t done, size_t size)
{
    return connection->layered || connection->closed ? done > 0 : done == size;
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

// By TLS to the master or to a proxy.
static bool is_layered(const struct curl_socket *connection)
{
    struct curl_tlssessioninfo *session = NULL;
    curl_easy_getinfo(connection->request.easy, CURLINFO_TLS_SSL_PTR, &session);
    return connection->request.master.tls || (session != NULL && session->internals != NULL);
}

static void on_opened(void *data)
{
    struct curl_socket *connection = data;
    bool open = connection->request.result == CURLE_OK;
    connection->layered = is_layered(connection);
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
    connection->curl_loop = curl_loop_create(loop, tls);
    connection->events = events;
    connection->data = data;
    curl_request_init(&connection->request, connection->curl_loop, master, NULL, options,
                      &request_events, connection);
    curl_request_connect(&connection->request);
    return connection;
}

void curl_socket_destroy(struct curl_socket *connection)
{
    if (connection == NULL)
        return;
    poll_watcher_destroy(connection->watcher);
    curl_request_free(&connection->request);
    curl_loop_destroy(connection->curl_loop);
    free(connection);
}

enum curl_socket_state curl_socket_state(const struct curl_socket *connection)
{
    return connection->state;
}
