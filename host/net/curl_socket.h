// SPDX-License-Identifier: Apache-2.0
//
// A connection to a master that libcurl opens, with name lookup, proxy and TLS, and on which its
// owner writes and reads bytes. Through a proxy it is a tunnel (CONNECT).

#ifndef MESOS_LUA_NET_CURL_SOCKET_H
#define MESOS_LUA_NET_CURL_SOCKET_H

#include "net/curl_request.h"

enum curl_socket_state {
    CURL_SOCKET_OPENING,
    CURL_SOCKET_OPEN,
    CURL_SOCKET_FAILED,
};

struct curl_socket;

struct curl_socket_events {
    // It is open, or failed to open. Takes notes only, see curl_loop.h.
    void (*opened)(void *data);
    // There may be something to read, or room to write. Every function may be called in it.
    void (*ready)(void *data);
};

// Begins to open it.
struct curl_socket *curl_socket_create(struct loop *loop, const struct url *master,
                                       const struct tls_options *tls,
                                       const struct curl_request_options *options,
                                       const struct curl_socket_events *events, void *data);
void curl_socket_destroy(struct curl_socket *connection); // NULL is fine

enum curl_socket_state curl_socket_state(const struct curl_socket *connection);

// For an open connection. `*done` is the number of bytes that were written or read; 0: none for
// now. False: it is broken, or has ended.
bool curl_socket_write(struct curl_socket *connection, const uint8_t *bytes, size_t length,
                       size_t *done);
bool curl_socket_read(struct curl_socket *connection, uint8_t *data, size_t size, size_t *done);

// False: nothing is left to read after a read of `done` bytes into `size`, and the watcher will
// tell when something is. TLS may hold back what it has decrypted.
bool curl_socket_may_have_more(const struct curl_socket *connection, size_t done, size_t size);

// It is always watched for something to read; if `writable`, for room to write as well.
void curl_socket_watch(struct curl_socket *connection, bool writable);

// Makes a reply of the fields of an answer that was read; valid until the next one.
struct http_reply curl_socket_reply(struct curl_socket *connection, int status,
                                    const char *location, const char *challenge, struct slice body);

// Marks it as failed, with a reason of the owner's.
void curl_socket_fail(struct curl_socket *connection, const char *why);

// Why it failed; `begun`: an answer had begun.
const char *curl_socket_failure(struct curl_socket *connection, bool begun);

#endif
