// SPDX-License-Identifier: Apache-2.0
//
// The v1 operator API of an agent: POST to /slave(N)/api/v1, in protobuf or JSON.

#ifndef MESOS_LUA_CLUSTER_AGENT_API_HTTP_H
#define MESOS_LUA_CLUSTER_AGENT_API_HTTP_H

#include "cluster/cluster_http_internal.h"

enum MHD_Result agent_api_http_answer(struct cluster_http *http, struct http_exchange *exchange);

#endif
