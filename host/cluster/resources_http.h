// SPDX-License-Identifier: Apache-2.0
//
// /reserve, /unreserve, /create-volumes and /destroy-volumes: operations on what frameworks do not
// use of an agent.

#ifndef MESOS_LUA_CLUSTER_RESOURCES_HTTP_H
#define MESOS_LUA_CLUSTER_RESOURCES_HTTP_H

#include "cluster/cluster_http_internal.h"

enum MHD_Result resources_http_reserve(struct cluster_http *http, struct http_exchange *exchange);
enum MHD_Result resources_http_unreserve(struct cluster_http *http, struct http_exchange *exchange);
enum MHD_Result resources_http_create(struct cluster_http *http, struct http_exchange *exchange);
enum MHD_Result resources_http_destroy(struct cluster_http *http, struct http_exchange *exchange);

#endif
