// SPDX-License-Identifier: Apache-2.0
//
// The v1 operator API over HTTP; see the header.

#include "cluster/master_api_http.h"

#include "cluster/api_exchange.h"
#include "operator/api_events.h"
#include "operator/master_api.h"

typedef Mesos__V1__Master__Call Call;

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
    const struct record_stream_owner owner = {.lost = on_lost, .nameless = true, .data = request};
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

static enum MHD_Result carry_out(struct cluster_http *http, struct http_exchange *exchange,
                                 const Call *call, bool protobuf)
{
    const struct cluster_request *request = exchange->data;
    struct buffer out;
    buffer_init(&out, API_EXCHANGE_LIMIT);
    const struct api_request api = {http->master, call, protobuf, request->principal, &out};
    struct master_answer answer = master_api_call(&api);
    enum MHD_Result result = api_exchange_send(exchange, &answer, &out, protobuf);
    buffer_free(&out);
    return result;
}

static enum MHD_Result answer_call(struct cluster_http *http, struct http_exchange *exchange,
                                   const Call *call)
{
    struct error err = {0};
    enum MHD_Result result;
    bool protobuf;
    if (!master_api_validate(call, &err)) {
        error_context(&err, "Failed to validate master::Call");
        return http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST, err.text);
    }
    if (!api_exchange_form(exchange, &protobuf, &result))
        return result;
    if (call->type == MESOS__V1__MASTER__CALL__TYPE__SUBSCRIBE)
        return subscribe(http, exchange, protobuf);
    return carry_out(http, exchange, call, protobuf);
}

enum MHD_Result master_api_http_answer(struct cluster_http *http, struct http_exchange *exchange)
{
    enum MHD_Result result;
    const Call *call = api_exchange_read(
        exchange, &http->room, &mesos__v1__master__call__descriptor, API_EXCHANGE_SMALL, &result);
    if (call == NULL)
        return result;
    result = answer_call(http, exchange, call);
    message_room_empty(&http->room);
    return result;
}
