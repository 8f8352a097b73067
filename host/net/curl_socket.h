// SPDX-License-Identifier: Apache-2.0
//
// A connection to a peer that libcurl opens, with name lookup, proxy and TLS where they are needed,
// and on which its owner writes and reads bytes. Through a proxy it is a tunnel (CONNECT).
//
// Proxies are taken from the environment as libcurl does it (http_proxy, https_proxy, all_proxy,
// no_proxy), but never for a peer on this machine.
//
// The time-outs for opening it count only time in which the loop turned.

#ifndef MESOS_LUA_NET_CURL_SOCKET_H
#define MESOS_LUA_NET_CURL_SOCKET_H

#include "base/bytes.h"
#include "loop/loop.h"
#include "net/credentials.h"
#include "net/http_reply.h"
#include "net/peer_api.h"
#include "net/tls.h"
#include "net/url.h"

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

struct curl_socket_options {
    double connect_timeout;        // seconds, of name, connection and TLS together
    double timeout;                // seconds for an answer: not more for opening it either
    const struct tls_options *tls; // or NULL
    // Whose redirects may lead to other hosts; or NULL. They outlive the connection.
    const struct credentials *credentials;
    const struct peer_api *api;
};

// Begins to open it.
struct curl_socket *curl_socket_create(struct loop *loop, const struct url *peer,
                                       const struct curl_socket_options *options,
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

// What it is watched for: nothing before it is open, then for something to read.
enum curl_socket_watch {
    CURL_SOCKET_QUIET,
    CURL_SOCKET_READ,
    CURL_SOCKET_WRITE,
    CURL_SOCKET_READ_WRITE,
};

void curl_socket_watch(struct curl_socket *connection, enum curl_socket_watch watch);

// Makes a reply of the fields of an answer that was read; valid until the next one. The location of
// a redirect that may not be followed is left out, and the body says why.
struct http_reply curl_socket_reply(struct curl_socket *connection, int status,
                                    const char *location, const char *challenge, struct slice body);

// Marks it as failed, with a reason of the owner's.
void curl_socket_fail(struct curl_socket *connection, const char *why);

// True if the peer closed it in order, and nothing else was wrong.
bool curl_socket_closed(const struct curl_socket *connection);

// Why it failed; `begun`: an answer had begun.
const char *curl_socket_failure(struct curl_socket *connection, bool begun);

#endif
