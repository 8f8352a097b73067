// SPDX-License-Identifier: Apache-2.0
//
// The HTTP side of the embedded master: the v1 scheduler endpoint with the checks, texts and
// framing of a real one, GET /health and GET /state. It runs on our loop, without a thread. If it
// requires credentials, only /health needs none.

#ifndef MESOS_LUA_CLUSTER_CLUSTER_HTTP_H
#define MESOS_LUA_CLUSTER_CLUSTER_HTTP_H

#include "master/master.h"
#include "net/http_access.h"

struct cluster_http;

// The longest call: in protobuf from a client that is subscribed, and any other. JSON takes much
// more memory when it is parsed than as text.
#define CLUSTER_HTTP_CALL_LIMIT ((size_t)64 << 20)
#define CLUSTER_HTTP_SMALL_LIMIT ((size_t)4 << 20)

struct cluster_http_options {
    const char *listen;         // "ADDR:PORT", "[ADDR]:PORT" for IPv6; port 0 is any
    const char *hosts;          // its names in Host headers, besides the usual ones; or NULL
    struct http_access *access; // who may use it; owned from now on
};

// NULL and an error if it cannot listen there.
struct cluster_http *cluster_http_create(struct loop *loop,
                                         const struct cluster_http_options *options,
                                         struct error *err);

// True if other machines can reach it and it requires no credentials.
bool cluster_http_exposed(const struct cluster_http *http);

const char *cluster_http_address(const struct cluster_http *http); // "ADDR:PORT"
const char *cluster_http_ip(const struct cluster_http *http);
unsigned cluster_http_port(const struct cluster_http *http);

// Sets the master that the calls are for. To be called before the loop runs.
void cluster_http_serve(struct cluster_http *http, struct master *master);

// Closes all connections without telling the master, which may be destroyed before or after.
void cluster_http_destroy(struct cluster_http *http);

#endif
