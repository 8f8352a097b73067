// SPDX-License-Identifier: Apache-2.0
//
// An agent's v1 operator API over HTTP; see the header.

#include "cluster/agent_api_http.h"

#include "cluster/api_exchange.h"
#include "cluster/operator_http.h"
#include "operator/agent_api.h"

static enum MHD_Result answer_call(struct http_exchange *exchange, const struct node *node,
                                   const Mesos__V1__Agent__Call *call)
{
    struct error err = {0};
    struct buffer out;
    enum MHD_Result result;
    bool protobuf;
    if (!agent_api_validate(call, &err)) {
        error_context(&err, "Failed to validate agent::Call");
        return http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST, err.text);
    }
    if (!api_exchange_form(exchange, &protobuf, &result))
        return result;
    buffer_init(&out, API_EXCHANGE_LIMIT);
    const struct agent_api_request request = {node, call, protobuf, &out};
    struct master_answer answer = agent_api_call(&request);
    result = api_exchange_send(exchange, &answer, &out, protobuf);
    buffer_free(&out);
    return result;
}

enum MHD_Result agent_api_http_answer(struct cluster_http *http, struct http_exchange *exchange)
{
    const struct cluster_request *request = exchange->data;
    const struct node *node = operator_http_node(http->master, request->agent);
    enum MHD_Result result;
    if (node == NULL)
        return http_exchange_refuse(exchange, MHD_HTTP_NOT_FOUND, "404 Not Found.");
    const Mesos__V1__Agent__Call *call = api_exchange_read(
        exchange, &http->room, &mesos__v1__agent__call__descriptor, API_EXCHANGE_SMALL, &result);
    if (call == NULL)
        return result;
    result = answer_call(exchange, node, call);
    message_room_empty(&http->room);
    return result;
}
