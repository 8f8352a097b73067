// SPDX-License-Identifier: Apache-2.0
//
// The endpoint of schedulers: a POST of a Call, whose answer is a stream of events for SUBSCRIBE,
// and a status for any other.

#ifndef MESOS_LUA_CLUSTER_SCHEDULER_HTTP_H
#define MESOS_LUA_CLUSTER_SCHEDULER_HTTP_H

#include "cluster/cluster_http_internal.h"

// How long the body of a request may be.
size_t scheduler_http_limit(const struct cluster_http *http, const struct http_exchange *exchange);

enum MHD_Result scheduler_http_answer(struct cluster_http *http, struct http_exchange *exchange);

#endif
