// SPDX-License-Identifier: Apache-2.0
//
// The endpoint of --metrics: Prometheus's text on /metrics, JSON on /status.

#ifndef MESOS_LUA_OPS_METRICS_HTTP_H
#define MESOS_LUA_OPS_METRICS_HTTP_H

#include "ops/metrics.h"

struct metrics_http;

// Listens on "ADDR:PORT", where port 0 is any. `hosts` are further names for it that requests may
// have in their Host header, or NULL. NULL and an error on failure. The session must outlive it.
struct metrics_http *metrics_http_create(struct loop *loop, const char *listen, const char *hosts,
                                         const struct session *session, struct error *err);
const char *metrics_http_address(const struct metrics_http *http); // "ADDR:PORT"
void metrics_http_destroy(struct metrics_http *http);              // NULL is fine

#endif
