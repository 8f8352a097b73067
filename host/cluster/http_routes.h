// SPDX-License-Identifier: Apache-2.0
//
// The routes of the cluster's HTTP server: a table, and which of its rows a path leads to.

#ifndef MESOS_LUA_CLUSTER_HTTP_ROUTES_H
#define MESOS_LUA_CLUSTER_HTTP_ROUTES_H

#include "cluster/cluster_http_internal.h"

// NULL: there is none. `agent` becomes the number of the agent in "/slave(N)/...", or 0.
const struct http_route *http_routes_find(const char *url, unsigned *agent);

// The path without the name of the master, or what else may stand in front.
const char *http_routes_path(const char *url);

#endif
