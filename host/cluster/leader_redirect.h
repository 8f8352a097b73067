// SPDX-License-Identifier: Apache-2.0
//
// Where a master that does not lead sends its clients, and the endpoint that names the leader.

#ifndef MESOS_LUA_CLUSTER_LEADER_REDIRECT_H
#define MESOS_LUA_CLUSTER_LEADER_REDIRECT_H

#include "cluster/cluster_http_internal.h"

// Answers with 307 to that path at the leader, or with 503 if none is known. The query may be NULL.
enum MHD_Result leader_redirect(const struct cluster_http *http, struct http_exchange *exchange,
                                const char *path, const char *query);

// The endpoint /redirect.
enum MHD_Result leader_redirect_answer(struct cluster_http *http, struct http_exchange *exchange);

#endif
