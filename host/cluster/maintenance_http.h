// SPDX-License-Identifier: Apache-2.0
//
// The endpoints of maintenance: /maintenance/schedule, /maintenance/status, /machine/down and
// /machine/up.

#ifndef MESOS_LUA_CLUSTER_MAINTENANCE_HTTP_H
#define MESOS_LUA_CLUSTER_MAINTENANCE_HTTP_H

#include "cluster/cluster_http_internal.h"

#define MAINTENANCE_HTTP_LIMIT ((size_t)4 << 20) // bytes of a body

size_t maintenance_http_limit(const struct cluster_http *http,
                              const struct http_exchange *exchange);
enum MHD_Result maintenance_http_schedule(struct cluster_http *http,
                                          struct http_exchange *exchange);
enum MHD_Result maintenance_http_status(struct cluster_http *http, struct http_exchange *exchange);
enum MHD_Result maintenance_http_down(struct cluster_http *http, struct http_exchange *exchange);
enum MHD_Result maintenance_http_up(struct cluster_http *http, struct http_exchange *exchange);

#endif
