// SPDX-License-Identifier: Apache-2.0
//
// A connection to a master that libcurl opens, with name, proxy and TLS, and on which its owner
// writes and reads bytes. Through a proxy it is a tunnel (CONNECT).

#ifndef MESOS_LUA_NET_HTTP_CONNECTION_H
#define MESOS_LUA_NET_HTTP_CONNECTION_H

#include "net/http_request.h"

enum http_connection_state {
    HTTP_CONNECTION_OPENING,
    HTTP_CONNECTION_OPEN,
    HTTP_CONNECTION_FAILED,
};

struct http_connection;

struct http_connection_events {
    // It is open, or failed to open. Takes notes only, see http.h.
    void (*opened)(void *data);
    // There may be something to read, or room to write. May do everything.
    void (*ready)(void *data);
};

// Begins to open it.
struct http_connection *http_connection_create(struct loop *loop, const struct url *master,
                                               const struct tls_options *tls,
                                               const struct http_request_options *options,
                                               const struct http_connection_events *events,
                                               void *data);
void http_connection_destroy(struct http_connection *connection); // NULL is fine

enum http_connection_state http_connection_state(const struct http_connection *connection);

// Of an open one. `*done` is how much went through, 0: nothing for now. False: it is broken, or has
// ended.
bool http_connection_write(struct http_connection *connection, const uint8_t *bytes, size_t length,
                           size_t *done);
bool http_connection_read(struct http_connection *connection, uint8_t *space, size_t room,
                          size_t *done);

// It is always watched for something to read; is it for room to write as well?
void http_connection_watch(struct http_connection *connection, bool writable);

// What came is an answer: reads its fields as an answer to a request, valid until the next one.
struct http_reply http_connection_reply(struct http_connection *connection, int status,
                                        const char *location, const char *challenge,
                                        struct slice body);

// Gives it up, for a reason of the owner's.
void http_connection_fail(struct http_connection *connection, const char *why);

// Why it failed; `begun`: an answer had begun.
const char *http_connection_failure(struct http_connection *connection, bool begun);

#endif
