// SPDX-License-Identifier: Apache-2.0
//
// The HTTP side of the embedded master: the v1 scheduler endpoint with the checks, texts and
// framing of a real one, GET /health and GET /state. It runs on our loop, without a thread.

#ifndef MESOS_LUA_CLUSTER_CLUSTER_HTTP_H
#define MESOS_LUA_CLUSTER_CLUSTER_HTTP_H

#include "cluster/master.h"

struct cluster_http;

// What is queued for a client that does not read; then its stream is cut.
#define CLUSTER_HTTP_STREAM_LIMIT ((size_t)64 << 20)

// The longest call.
#define CLUSTER_HTTP_BODY_LIMIT ((size_t)64 << 20)

// Listens on "ADDR:PORT" (on "[ADDR]:PORT" for IPv6; port 0 is any). NULL and an error otherwise.
struct cluster_http *cluster_http_create(struct loop *loop, const char *listen, struct error *err);

const char *cluster_http_address(const struct cluster_http *http); // "ADDR:PORT"
const char *cluster_http_ip(const struct cluster_http *http);
unsigned cluster_http_port(const struct cluster_http *http);

// Whom the calls are for; before the loop runs.
void cluster_http_serve(struct cluster_http *http, struct master *master);

// Closes all connections, telling nobody; the master may be gone before or after.
void cluster_http_destroy(struct cluster_http *http);

#endif
