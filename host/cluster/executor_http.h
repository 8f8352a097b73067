// SPDX-License-Identifier: Apache-2.0
//
// The endpoint of executors, which every agent has at /slave(N)/api/v1/executor: a POST of a Call,
// whose answer is a stream of events for SUBSCRIBE, and a status for any other. The call says which
// framework and executor it is of, so that the path of any agent leads to the executor's own one,
// unless several agents have an executor with these ids: then the path decides.
//
// If the cluster requires credentials, an executor has to send the token that it was given.

#ifndef MESOS_LUA_CLUSTER_EXECUTOR_HTTP_H
#define MESOS_LUA_CLUSTER_EXECUTOR_HTTP_H

#include "cluster/cluster_http_internal.h"

// How long the body of a request may be.
size_t executor_http_limit(const struct cluster_http *http, const struct http_exchange *exchange);

enum MHD_Result executor_http_answer(struct cluster_http *http, struct http_exchange *exchange);

#endif
