// SPDX-License-Identifier: Apache-2.0
//
// The v1 operator API over HTTP; see the header. The order of the checks is that of a master.

#include "cluster/master_api_http.h"

#include "base/memory.h"
#include "cluster/http_negotiation.h"
#include "cluster/nul_check.h"
#include "cluster/operator_http.h"
#include "operator/api_events.h"
#include "operator/master_api.h"
#include "wire/json_message.h"

#include <string.h>

typedef Mesos__V1__Master__Call Call;

#define LIMIT ((size_t)256 << 20) // bytes of a response

static Call *parse(const struct http_exchange *exchange, bool json, struct error *err)
{
    struct slice body = buffer_slice(&exchange->body);
    if (json)
        return (Call *)json_message_read(&mesos__v1__master__call__descriptor, body, err);
    if (!nul_check(body, &mesos__v1__master__call__descriptor, err)) {
        error_context(err, "Failed to parse body into Call protobuf");
        return NULL;
    }
    Call *call = mesos__v1__master__call__unpack(NULL, body.length, body.data);
    if (call == NULL)
        error_set(err, ERROR_INVALID, "Failed to parse body into Call protobuf");
    return call;
}

// ---- SUBSCRIBE ----

static void on_event(void *data, const Mesos__V1__Master__Event *event)
{
    record_stream_send(data, &event->base);
}

static void on_lost(void *data, const char *id)
{
    struct cluster_request *request = data;
    (void)id;
    api_events_destroy(request->events);
    request->events = NULL;
}

static size_t count_subscribers(const struct master *master)
{
    const struct observer *observer;
    size_t count = 0;
    TAILQ_FOREACH(observer, &master->observers, link)
    count++;
    return count;
}

static enum MHD_Result subscribe(struct cluster_http *http, struct http_exchange *exchange,
                                 bool protobuf)
{
    struct cluster_request *request = exchange->data;
    const struct record_stream_owner owner = {on_lost, request};
    struct buffer first;
    if (count_subscribers(http->master) >= API_EVENTS_SUBSCRIBERS)
        return http_exchange_refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE,
                                    "There are 1000 subscribers already");
    buffer_init(&first, RECORD_STREAM_LIMIT);
    bool good = api_events_subscribed(&first, protobuf, http->master);
    if (good) {
        request->stream = record_stream_create(&http->streams, exchange, !protobuf, &owner);
        record_stream_send_bytes(request->stream, buffer_slice(&first));
        request->events = api_events_create(http->master, on_event, request->stream);
    }
    buffer_free(&first);
    return good ? record_stream_answer(request->stream)
                : http_exchange_refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE,
                                       "The state is longer than 64 MiB");
}

// ---- other calls ----

static enum MHD_Result send_response(struct http_exchange *exchange,
                                     const struct master_answer *answer, const struct buffer *out,
                                     bool protobuf)
{
    if (answer->status >= 400)
        return http_exchange_refuse(exchange, answer->status, answer->error.text);
    const struct http_answer response = {
        .status = answer->status,
        .type = out->length == 0 ? NULL
                : protobuf       ? HTTP_PROTOBUF
                                 : HTTP_JSON,
        .text = out->length == 0 ? "" : (const char *)out->data,
        .length = out->length,
    };
    return http_exchange_answer(exchange, &response);
}

static enum MHD_Result carry_out(struct cluster_http *http, struct http_exchange *exchange,
                                 const Call *call, bool protobuf)
{
    const struct cluster_request *request = exchange->data;
    struct buffer out;
    buffer_init(&out, LIMIT);
    const struct api_request api = {http->master, call, protobuf, request->principal, &out};
    struct master_answer answer = master_api_call(&api);
    enum MHD_Result result = send_response(exchange, &answer, &out, protobuf);
    buffer_free(&out);
    return result;
}

static enum MHD_Result answer_call(struct cluster_http *http, struct http_exchange *exchange,
                                   const Call *call)
{
    struct error err = {0};
    bool json = http_negotiation_accepts(exchange, HTTP_JSON);
    if (!master_api_validate(call, &err)) {
        error_context(&err, "Failed to validate master::Call");
        return http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST, err.text);
    }
    if (!json && !http_negotiation_accepts(exchange, HTTP_PROTOBUF))
        return http_exchange_refuse(exchange, MHD_HTTP_NOT_ACCEPTABLE,
                                    "Expecting 'Accept' to allow '" HTTP_PROTOBUF "' or '" HTTP_JSON
                                    "'");
    if (call->type == MESOS__V1__MASTER__CALL__TYPE__SUBSCRIBE)
        return subscribe(http, exchange, !json);
    return carry_out(http, exchange, call, !json);
}

enum MHD_Result master_api_http_answer(struct cluster_http *http, struct http_exchange *exchange)
{
    const char *type = http_exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_TYPE);
    bool json = http_negotiation_is_json(exchange);
    enum MHD_Result result;
    struct error err = {0};
    if (type == NULL)
        return http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST,
                                    "Expecting 'Content-Type' to be present");
    if (!json && strcmp(type, HTTP_PROTOBUF) != 0)
        return http_exchange_refuse(exchange, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                    "Expecting 'Content-Type' of " HTTP_JSON " or " HTTP_PROTOBUF);
    if (!operator_http_check_body(exchange, &result))
        return result;
    Call *call = parse(exchange, json, &err);
    if (call == NULL)
        return http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST, err.text);
    result = answer_call(http, exchange, call);
    mesos__v1__master__call__free_unpacked(call, NULL);
    return result;
}
