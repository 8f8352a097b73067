// SPDX-License-Identifier: Apache-2.0
//
// The v1 scheduler API of the master, with the checks, texts and framing of a real one; see the
// header.

#include "cluster/scheduler_http.h"

#include "base/log.h"
#include "base/memory.h"
#include "cluster/api_exchange.h"
#include "cluster/http_negotiation.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Scheduler__Call Call;
typedef Mesos__V1__Scheduler__Event Event;

static bool needs_accept(const Call *call)
{
    return call->type == MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE ||
           call->type == MESOS__V1__SCHEDULER__CALL__TYPE__RECONCILE_OPERATIONS;
}

// The principal of a framework must be the authenticated one, which it is if it names none.
static bool check_principal(const char *authenticated, const char *principal, struct error *err)
{
    return authenticated == NULL || principal == NULL || strcmp(principal, authenticated) == 0 ||
           error_set(err, ERROR_INVALID,
                     "Authenticated principal '%s' does not match principal '%s' set in "
                     "`FrameworkInfo`",
                     authenticated, principal);
}

static bool validate(const struct cluster_request *request, const Call *call, struct error *err)
{
    if (!master_validate(call, err))
        return false;
    if (call->type != MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE)
        return true;
    return check_principal(request->principal, call->subscribe->framework_info->principal, err) ||
           error_context(err, "Failed to validate scheduler::Call");
}

static void on_event(void *data, const Event *event)
{
    record_stream_send(data, &event->base);
}

static void on_encoded(void *data, struct slice event)
{
    record_stream_send_bytes(data, event);
}

static void on_end(void *data)
{
    record_stream_end(data);
}

static void on_lost(void *data, const char *id)
{
    struct cluster_http *http = data;
    master_stream_closed(http->master, id);
}

// The call is lent the principal that it does not name.
static void subscribe_authenticated(struct cluster_http *http,
                                    const struct cluster_request *request, Call *call,
                                    const struct master_sink *sink)
{
    Mesos__V1__FrameworkInfo *info = call->subscribe->framework_info;
    char *own = info->principal;
    if (own == NULL)
        info->principal = (char *)(uintptr_t)request->principal;
    master_subscribe(http->master, call, record_stream_id(request->stream), sink, request->stream);
    info->principal = own;
}

static enum MHD_Result subscribe(struct cluster_http *http, struct http_exchange *exchange,
                                 Call *call)
{
    static const struct master_sink json_sink = {.event = on_event, .end = on_end};
    static const struct master_sink sink = {
        .event = on_event, .encoded = on_encoded, .end = on_end};
    bool json = http_negotiation_accepts(exchange, HTTP_JSON);
    struct cluster_request *request = exchange->data;
    if (http_exchange_header(exchange, "Mesos-Stream-Id") != NULL)
        return http_exchange_refuse(
            exchange, MHD_HTTP_BAD_REQUEST,
            "Subscribe calls should not include the 'Mesos-Stream-Id' header");
    const struct record_stream_owner owner = {.lost = on_lost, .data = http};
    request->stream = record_stream_create(&http->streams, exchange, json, &owner);
    record_stream_slow(request->stream, http->master->message_delay);
    subscribe_authenticated(http, request, call, json ? &json_sink : &sink);
    return record_stream_answer(request->stream);
}

static enum MHD_Result answer_call(struct cluster_http *http, struct http_exchange *exchange,
                                   Call *call)
{
    const struct cluster_request *request = exchange->data;
    struct error err = {0};
    if (!validate(request, call, &err))
        return http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST, err.text);
    bool protobuf;
    enum MHD_Result result;
    if (needs_accept(call) && !api_exchange_form(exchange, &protobuf, &result))
        return result;
    if (call->type == MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE)
        return subscribe(http, exchange, call);
    const struct master_caller caller = {.stream_id =
                                             http_exchange_header(exchange, "Mesos-Stream-Id"),
                                         .principal = request->principal};
    struct master_answer answer = master_call(http->master, call, &caller);
    if (answer.status >= 400)
        return http_exchange_refuse(exchange, answer.status, answer.error.text);
    const struct http_answer accepted = {.status = answer.status, .text = ""};
    return http_exchange_answer(exchange, &accepted);
}

static enum MHD_Result refuse_for_fault(struct cluster_http *http, struct http_exchange *exchange)
{
    char *text = memory_format("A fault of the local cluster: %d", http->refused_status);
    http->refused_calls--;
    log_info("fault: a call is answered with %d and not carried out; %u more of them",
             http->refused_status, http->refused_calls);
    enum MHD_Result result = http_exchange_refuse(exchange, http->refused_status, text);
    free(text);
    return result;
}

enum MHD_Result scheduler_http_answer(struct cluster_http *http, struct http_exchange *exchange)
{
    if (http->refused_calls > 0)
        return refuse_for_fault(http, exchange);
    const char *limit =
        http_negotiation_is_json(exchange)
            ? "The call is larger than the local cluster accepts in JSON (4 MiB); in protobuf it "
              "accepts 64 MiB"
            : "The call is larger than the local cluster accepts (64 MiB, and 4 MiB without the "
              "'Mesos-Stream-Id' of a subscription)";
    enum MHD_Result result;
    Call *call = api_exchange_read(exchange, &http->room, &mesos__v1__scheduler__call__descriptor,
                                   limit, &result);
    if (call == NULL)
        return result;
    result = answer_call(http, exchange, call);
    message_room_empty(&http->room);
    return result;
}

size_t scheduler_http_limit(const struct cluster_http *http, const struct http_exchange *exchange)
{
    bool known =
        record_streams_has(&http->streams, http_exchange_header(exchange, "Mesos-Stream-Id"));
    return known && !http_negotiation_is_json(exchange) ? CLUSTER_HTTP_CALL_LIMIT
                                                        : CLUSTER_HTTP_SMALL_LIMIT;
}
