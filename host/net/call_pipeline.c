// SPDX-License-Identifier: Apache-2.0
//
// Calls in order: see call_pipeline.h. `waiting` holds the calls that were taken; its first one is
// under way while the pipeline is open. `refused` holds those that were not taken and only wait for
// their reply, `leaving` those that a close gave up. libcurl's end of a call is a note (`done`);
// the deferral sends the next call and reports, so that a reply is always free to call anything.

#include "net/call_pipeline.h"

#include "base/memory.h"
#include "net/http_request.h"

#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT 10.0
#define TIMEOUT 30.0

struct call {
    struct call *next;
    struct bytes *bytes; // NULL of a refused one
    const char *refusal; // a constant, or NULL
    call_pipeline_on_reply on_reply;
    void *data;
};

struct list {
    struct call *first, **last;
    size_t count, bytes;
};

struct call_pipeline {
    struct loop *loop;
    struct call_pipeline_options options;
    struct list waiting, refused, leaving;
    struct deferral delivery;
    struct http *http; // NULL while there is no stream
    struct http_request request;
    const char *refusal; // why calls are not taken, NULL if they are
    bool done;           // the answer to the first of `waiting` is there
    bool destroyed;      // and freed when `holds` is 0
    unsigned holds;
};

static const char not_subscribed[] = "not sent: not subscribed";
static const char unanswered[] = "no answer: connection closed";
static const char unsent[] = "not sent: connection closed";
static const char too_many[] = "not sent: too many calls are waiting";
static const char too_long[] = "not sent: the calls that are waiting are too long together";

// ---- lists ----

static void list_init(struct list *list)
{
    *list = (struct list){.first = NULL};
    list->last = &list->first;
}

static size_t length_of(const struct call *call)
{
    return call->bytes ? call->bytes->length : 0;
}

static void push(struct list *list, struct call *call)
{
    call->next = NULL;
    *list->last = call;
    list->last = &call->next;
    list->count++;
    list->bytes += length_of(call);
}

static struct call *pop(struct list *list)
{
    struct call *call = list->first;
    if (call == NULL)
        return NULL;
    list->first = call->next;
    if (list->first == NULL)
        list->last = &list->first;
    list->count--;
    list->bytes -= length_of(call);
    return call;
}

// ---- replies ----

static void hold(struct call_pipeline *pipeline)
{
    pipeline->holds++;
}

static void release(struct call_pipeline *pipeline)
{
    if (--pipeline->holds == 0 && pipeline->destroyed)
        free(pipeline);
}

static void answer(struct call *call, const struct http_reply *reply)
{
    call_pipeline_on_reply on_reply = call->on_reply;
    void *data = call->data;
    bytes_unref(call->bytes);
    free(call);
    if (on_reply != NULL)
        on_reply(data, reply);
}

static void refuse(struct call *call, const char *why)
{
    const struct http_reply reply = {.body = slice_text(why)};
    answer(call, &reply);
}

// ---- one call after another ----

static void start_next(struct call_pipeline *pipeline)
{
    if (pipeline->http != NULL && pipeline->waiting.first != NULL && !pipeline->request.running &&
        !pipeline->done)
        http_request_start(&pipeline->request, pipeline->waiting.first->bytes);
}

static void on_done(void *data)
{
    struct call_pipeline *pipeline = data;
    pipeline->done = true;
    deferral_queue(&pipeline->delivery);
}

static const struct http_request_events request_events = {.done = on_done};

// A call that was answered, with its answer: apart from the request, which goes on to the next call
// or is freed by a callback.
struct answered {
    struct call *call; // NULL: none
    struct http_reply reply;
    struct buffer body;
    char address[URL_ADDRESS];
    char challenge[sizeof((struct http_request *)0)->challenge];
    char failure[sizeof((struct http_request *)0)->failure];
};

static bool take_answered(struct call_pipeline *pipeline, struct answered *answered)
{
    answered->call = NULL;
    if (!pipeline->done)
        return false;
    pipeline->done = false;
    answered->call = pop(&pipeline->waiting);
    answered->reply = http_request_reply(&pipeline->request);
    answered->body = http_request_take_body(&pipeline->request);
    if (answered->reply.location != NULL)
        answered->reply.location =
            memcpy(answered->address, pipeline->request.address, sizeof answered->address);
    if (answered->reply.challenge != NULL)
        answered->reply.challenge =
            memcpy(answered->challenge, pipeline->request.challenge, sizeof answered->challenge);
    if (answered->reply.status == 0) {
        memcpy(answered->failure, pipeline->request.failure, sizeof answered->failure);
        answered->reply.body = slice_text(answered->failure);
    }
    return true;
}

static void report(struct answered *answered)
{
    if (answered->call == NULL)
        return;
    answer(answered->call, &answered->reply);
    buffer_free(&answered->body);
}

// The answer was a 401, and there are other credentials now.
static bool send_again(struct call_pipeline *pipeline)
{
    if (!pipeline->done || pipeline->request.status != 401 ||
        !http_request_renew(&pipeline->request))
        return false;
    pipeline->done = false;
    start_next(pipeline);
    return true;
}

static void report_answered(struct call_pipeline *pipeline)
{
    struct answered answered;
    if (send_again(pipeline) || !take_answered(pipeline, &answered))
        return;
    if (answered.reply.broken) { // the owner decides whether there is a next one
        report(&answered);
        start_next(pipeline);
    } else {
        start_next(pipeline);
        report(&answered);
    }
}

// At most those that were there when it began: a reply that sends again is answered in the next
// turn.
static void report_refused(struct call_pipeline *pipeline)
{
    for (size_t count = pipeline->refused.count; count > 0 && pipeline->refused.first; count--) {
        struct call *call = pop(&pipeline->refused);
        refuse(call, call->refusal);
    }
}

static void on_delivery(void *data)
{
    struct call_pipeline *pipeline = data;
    hold(pipeline);
    if (pipeline->refused.first != NULL)
        deferral_queue(&pipeline->delivery); // for a callback that runs the loop itself
    report_answered(pipeline);
    report_refused(pipeline);
    release(pipeline);
}

// ---- life ----

struct call_pipeline *call_pipeline_create(struct loop *loop,
                                           const struct call_pipeline_options *options)
{
    struct call_pipeline *pipeline = memory_new(sizeof *pipeline);
    pipeline->loop = loop;
    pipeline->options = *options;
    if (pipeline->options.calls == 0)
        pipeline->options.calls = CALL_PIPELINE_CALLS;
    if (pipeline->options.bytes == 0)
        pipeline->options.bytes = CALL_PIPELINE_BYTES;
    if (pipeline->options.connect_timeout <= 0)
        pipeline->options.connect_timeout = CONNECT_TIMEOUT;
    if (pipeline->options.timeout <= 0)
        pipeline->options.timeout = TIMEOUT;
    pipeline->refusal = not_subscribed;
    list_init(&pipeline->waiting);
    list_init(&pipeline->refused);
    list_init(&pipeline->leaving);
    deferral_init(&pipeline->delivery, loop, on_delivery, pipeline);
    return pipeline;
}

void call_pipeline_open(struct call_pipeline *pipeline, const struct url *master,
                        const char *stream_id)
{
    const struct http_request_options options = {.connect_timeout =
                                                     pipeline->options.connect_timeout,
                                                 .timeout = pipeline->options.timeout,
                                                 .credentials = pipeline->options.credentials};
    hold(pipeline);
    call_pipeline_close(pipeline);
    if (!pipeline->destroyed) {
        pipeline->refusal = NULL;
        pipeline->http = http_create(pipeline->loop, pipeline->options.tls);
        http_request_init(&pipeline->request, pipeline->http, master, stream_id, &options,
                          &request_events, pipeline);
    }
    release(pipeline);
}

void call_pipeline_end(struct call_pipeline *pipeline)
{
    pipeline->refusal = not_subscribed;
}

static void disconnect(struct call_pipeline *pipeline)
{
    if (pipeline->http == NULL)
        return;
    http_request_free(&pipeline->request);
    http_destroy(pipeline->http);
    pipeline->http = NULL;
    pipeline->done = false;
}

// The calls that close() has to answer leave `waiting`, where a reply that opens the pipeline again
// puts new ones, but stay in reach of a close or destroy inside a reply.
static void give_up_waiting(struct call_pipeline *pipeline, bool under_way)
{
    for (struct call *call; (call = pop(&pipeline->waiting)) != NULL; under_way = false) {
        call->refusal = under_way ? unanswered : unsent;
        push(&pipeline->leaving, call);
    }
}

// What the replies send is answered as well, up to a number, so that a caller who sends again
// whatever the reply was cannot keep us here for ever.
static void answer_all(struct call_pipeline *pipeline)
{
    for (struct call *call; (call = pop(&pipeline->leaving)) != NULL;)
        refuse(call, call->refusal);
    size_t left = pipeline->refused.count + pipeline->options.calls;
    for (struct call *call; left > 0 && (call = pop(&pipeline->refused)) != NULL; left--)
        refuse(call, call->refusal);
}

void call_pipeline_close(struct call_pipeline *pipeline)
{
    struct answered answered;
    hold(pipeline);
    pipeline->refusal = not_subscribed;
    take_answered(pipeline, &answered);
    bool under_way = pipeline->request.running;
    disconnect(pipeline);
    give_up_waiting(pipeline, under_way);
    report(&answered);
    answer_all(pipeline);
    release(pipeline);
}

static const char *find_refusal(const struct call_pipeline *pipeline, struct slice call)
{
    if (pipeline->refusal != NULL)
        return pipeline->refusal;
    if (pipeline->waiting.count >= pipeline->options.calls)
        return too_many;
    return call.length > pipeline->options.bytes - pipeline->waiting.bytes ? too_long : NULL;
}

void call_pipeline_send(struct call_pipeline *pipeline, struct slice bytes,
                        call_pipeline_on_reply on_reply, void *data)
{
    const char *refusal = find_refusal(pipeline, bytes);
    if (refusal != NULL && on_reply == NULL)
        return;
    struct call *call = memory_new(sizeof *call);
    *call = (struct call){.refusal = refusal, .on_reply = on_reply, .data = data};
    if (refusal != NULL) {
        push(&pipeline->refused, call);
        deferral_queue(&pipeline->delivery);
        return;
    }
    call->bytes = bytes_copy(bytes.data, bytes.length);
    push(&pipeline->waiting, call);
    start_next(pipeline);
}

void call_pipeline_destroy(struct call_pipeline *pipeline)
{
    if (pipeline == NULL || pipeline->destroyed)
        return;
    hold(pipeline);
    pipeline->destroyed = true;
    call_pipeline_close(pipeline);
    for (struct call *call; (call = pop(&pipeline->refused)) != NULL;)
        free(call);
    deferral_cancel(&pipeline->delivery);
    release(pipeline);
}
