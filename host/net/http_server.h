// SPDX-License-Identifier: Apache-2.0
//
// libmicrohttpd on our loop: it listens, and is driven when its sockets or its timers want it. What
// is answered is the affair of whoever creates one, in libmicrohttpd's own callbacks.

#ifndef MESOS_LUA_NET_HTTP_SERVER_H
#define MESOS_LUA_NET_HTTP_SERVER_H

#include "base/error.h"
#include "loop/loop.h"

#include <microhttpd.h>

struct http_server;

struct http_server_settings {
    const char *what; // for errors: "the local cluster"
    MHD_AccessHandlerCallback request;
    MHD_RequestCompletedCallback completed; // may be NULL
    void *data;                             // of both
    size_t memory;                          // bytes of a connection: headers, the largest chunk
    unsigned connections;                   // the most
    unsigned timeout;                       // seconds that one may be silent; 0: any time
};

// Listens on "ADDR:PORT" (on "[ADDR]:PORT" for IPv6; port 0 is any). NULL and an error otherwise.
// Connections may be suspended and resumed.
struct http_server *http_server_create(struct loop *loop, const char *listen,
                                       const struct http_server_settings *settings,
                                       struct error *err);

// Closes all connections; their requests are completed. None may be suspended. NULL is fine.
void http_server_destroy(struct http_server *server);

const char *http_server_address(const struct http_server *server); // "ADDR:PORT"
const char *http_server_ip(const struct http_server *server);
unsigned http_server_port(const struct http_server *server);

// A connection was resumed: libmicrohttpd does not see that by itself. It is driven at the end of
// the turn.
void http_server_wake(struct http_server *server);

// Queues an answer whose text is copied; `type` may be NULL.
enum MHD_Result http_server_reply(struct MHD_Connection *connection, int status, const char *type,
                                  const char *text, const char *allow);

#endif
