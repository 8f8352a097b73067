// SPDX-License-Identifier: Apache-2.0
//
// libmicrohttpd on our loop: it listens, and is driven when its sockets or its timers are ready. It
// accepts requests, collects their bodies and hands out whole requests. Untrusted clients are
// limited: a request is whole within 30 seconds or its connection is closed, bodies have a cap each
// and together, connections are counted (net/http_peers.h), and requests that a web page may have
// sent, with an Origin or with the Host of another machine, are refused.

#ifndef MESOS_LUA_NET_HTTP_SERVER_H
#define MESOS_LUA_NET_HTTP_SERVER_H

#include "base/buffer.h"
#include "base/error.h"
#include "loop/loop.h"

#include <microhttpd.h>

#define HTTP_SERVER_BODIES ((size_t)256 << 20) // of all connections of a server together

struct http_server;

enum http_body {
    HTTP_BODY_WHOLE,
    HTTP_BODY_TOO_LONG, // for begin()'s limit; it was read and not kept
    HTTP_BODY_NO_ROOM,  // for HTTP_SERVER_BODIES; the same
};

struct http_header {
    const char *name, *value;
};

enum { HTTP_HEADERS_KEPT = 16 };

// A request, from its headers until its answer is sent.
struct http_exchange {
    struct http_server *server;
    struct MHD_Connection *connection;
    const char *url, *method;
    const char *query; // as it was sent, behind the '?' of the request; NULL: there is none
    struct buffer body;
    enum http_body state; // of the body
    bool behind;          // it came together with the request before it on its connection
    void *data;           // the owner's

    // The first of its headers, which are asked for again and again, and how many it has.
    struct http_header headers[HTTP_HEADERS_KEPT];
    size_t header_count;
};

struct http_server_settings {
    const char *what; // for errors and the log: "the local cluster"
    // The headers are there: returns how long the body may be. 0, or no function: a request with a
    // body is refused and its connection closed.
    size_t (*begin)(void *data, struct http_exchange *exchange);
    // It is whole: queue an answer, or wait.
    enum MHD_Result (*answer)(void *data, struct http_exchange *exchange);
    // The answer is sent or can no longer be sent; may be NULL.
    void (*completed)(void *data, struct http_exchange *exchange);
    // The client of an endless answer has left; may be NULL.
    void (*left)(void *data, struct http_exchange *exchange);
    void *data;
    const char *hosts;      // names that a Host may have besides the usual ones, "a,b"; or NULL
    const char *cert, *key; // TLS: certificate and private key as PEM; both NULL: none
    bool numeric;           // no name is looked up for the address: see net/http_listen.h
    size_t memory;          // bytes of a connection: headers, the largest chunk
    unsigned connections;   // the most
};

// Listens on "ADDR:PORT" (on "[ADDR]:PORT" for IPv6; port 0 is any). NULL and an error otherwise.
// Connections may be suspended and resumed.
struct http_server *http_server_create(struct loop *loop, const char *listen,
                                       const struct http_server_settings *settings,
                                       struct error *err);

// The same on a socket that listens already, which is handed over, also on failure; `listen` is
// what its address was given as. It takes no connections before http_server_run().
struct http_server *http_server_create_on(struct loop *loop, int fd, const char *listen,
                                          const struct http_server_settings *settings,
                                          struct error *err);
void http_server_run(struct http_server *server);

int http_server_listener(const struct http_server *server); // its socket, which stays its own

// Closes its listening socket; the connections that there are go on.
void http_server_quiesce(struct http_server *server);

// Closes all connections; their requests are completed. None may be suspended. NULL is fine.
void http_server_destroy(struct http_server *server);

const char *http_server_address(const struct http_server *server); // "ADDR:PORT"
const char *http_server_ip(const struct http_server *server);
unsigned http_server_port(const struct http_server *server);

// True if it can be reached from this machine only.
bool http_server_on_loopback(const struct http_server *server);

struct loop *http_server_loop(const struct http_server *server);

// To be called after a connection was resumed, which libmicrohttpd does not notice by itself. The
// server is driven at the end of the turn.
void http_server_wake(struct http_server *server);

// The value of a header of the request, or NULL; of a repeated header the last one counts.
const char *http_exchange_header(const struct http_exchange *exchange, const char *name);

// The value of an argument of its URL ("?name=value"), decoded, or NULL; "" for one without a
// value.
const char *http_exchange_argument(const struct http_exchange *exchange, const char *name);

// Calls `visit` for each header of the request, or each argument of its URL, decoded.
void http_exchange_headers(const struct http_exchange *exchange,
                           void (*visit)(void *data, const char *name, const char *value),
                           void *data);
void http_exchange_arguments(const struct http_exchange *exchange,
                             void (*visit)(void *data, const char *name, const char *value),
                             void *data);

// "ADDR:PORT" of its client; 72 bytes are enough.
void http_exchange_peer(const struct http_exchange *exchange, char *text, size_t size);

// Its owner is asked for the answer once more when that time has passed; no request of its
// connection is read until then.
enum MHD_Result http_exchange_wait(struct http_exchange *exchange, uint64_t nanoseconds);

// Its answer is a stream, or takes its time: there is no time limit.
void http_exchange_endless(struct http_exchange *exchange);

// Closes its connection; it is completed later.
void http_exchange_break(struct http_exchange *exchange);

struct http_answer {
    int status;
    const char *type, *text;          // copied; the type may be NULL
    size_t length;                    // of the text; 0: up to its zero byte
    const char *header_name, *header; // one more header; both may be NULL
    const char *headers;              // more of them, lines "Name: value\n"; may be NULL
};

// A response of libmicrohttpd, to be released with MHD_destroy_response().
struct MHD_Response *http_answer_make(const struct http_answer *answer);

// Queues an answer.
enum MHD_Result http_exchange_answer(struct http_exchange *exchange,
                                     const struct http_answer *answer);

// A text about what is wrong.
enum MHD_Result http_exchange_refuse(struct http_exchange *exchange, int status, const char *text);

#endif
