// SPDX-License-Identifier: Apache-2.0
//
// What the v1 APIs, of schedulers, executors and operators, have in common over HTTP: reading a
// call, the form that its sender accepts, and answering.

#ifndef MESOS_LUA_CLUSTER_API_EXCHANGE_H
#define MESOS_LUA_CLUSTER_API_EXCHANGE_H

#include "cluster/cluster_http_internal.h"

#define API_EXCHANGE_LIMIT ((size_t)256 << 20) // bytes of a response

#define API_EXCHANGE_SMALL "The body is larger than the local cluster accepts (4 MiB)"

// False: the body was not kept, and `result` is that of the answer that says so; `limit` is its
// text if the body is too long.
bool api_exchange_check_body(struct http_exchange *exchange, const char *limit,
                             enum MHD_Result *result);

// The call, which is in the room; NULL: it is wrong, and `result` is that of the answer that says
// so.
void *api_exchange_read(struct http_exchange *exchange, struct message_room *room,
                        const ProtobufCMessageDescriptor *type, const char *limit,
                        enum MHD_Result *result);

// Whether the response is to be in protobuf. False: the sender accepts none of the two forms.
bool api_exchange_form(struct http_exchange *exchange, bool *protobuf, enum MHD_Result *result);

// Answers with the response in `out`, or with the error.
enum MHD_Result api_exchange_send(struct http_exchange *exchange,
                                  const struct master_answer *answer, const struct buffer *out,
                                  bool protobuf);

#endif
