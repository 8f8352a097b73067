// SPDX-License-Identifier: Apache-2.0
//
// Which of the two forms of the v1 APIs a request has, and which its client accepts in return.

#ifndef MESOS_LUA_CLUSTER_HTTP_NEGOTIATION_H
#define MESOS_LUA_CLUSTER_HTTP_NEGOTIATION_H

#include "net/http_server.h"

#define HTTP_JSON "application/json"
#define HTTP_PROTOBUF "application/x-protobuf"

// True if the Accept header allows that type; without the header any type is allowed.
bool http_negotiation_accepts(const struct http_exchange *exchange, const char *type);

bool http_negotiation_is_json(const struct http_exchange *exchange); // its body

#endif
