// SPDX-License-Identifier: Apache-2.0
//
// The HTTP side of the embedded master: the v1 scheduler endpoint with the checks, texts and
// framing of a real one, GET /health and GET /state. It runs on our loop, without a thread. Where
// it asks for credentials, only /health does without.

#ifndef MESOS_LUA_CLUSTER_CLUSTER_HTTP_H
#define MESOS_LUA_CLUSTER_CLUSTER_HTTP_H

#include "cluster/master.h"
#include "net/http_access.h"

struct cluster_http;

// What is queued for a client that does not read; then its stream is cut.
#define CLUSTER_HTTP_STREAM_LIMIT ((size_t)64 << 20)

// The longest call: in protobuf of a client that is subscribed, and otherwise. JSON takes much more
// memory when it is read than as text.
#define CLUSTER_HTTP_CALL_LIMIT ((size_t)64 << 20)
#define CLUSTER_HTTP_SMALL_LIMIT ((size_t)4 << 20)

struct cluster_http_options {
    const char *listen;         // "ADDR:PORT", "[ADDR]:PORT" for IPv6; port 0 is any
    const char *hosts;          // names that requests may call it, besides the usual ones; or NULL
    struct http_access *access; // who may use it; owned from now on
};

// NULL and an error if it cannot listen there.
struct cluster_http *cluster_http_create(struct loop *loop,
                                         const struct cluster_http_options *options,
                                         struct error *err);

// Can it be reached from other machines, by all who want to?
bool cluster_http_exposed(const struct cluster_http *http);

const char *cluster_http_address(const struct cluster_http *http); // "ADDR:PORT"
const char *cluster_http_ip(const struct cluster_http *http);
unsigned cluster_http_port(const struct cluster_http *http);

// Whom the calls are for; before the loop runs.
void cluster_http_serve(struct cluster_http *http, struct master *master);

// Closes all connections, telling nobody; the master may be gone before or after.
void cluster_http_destroy(struct cluster_http *http);

#endif
