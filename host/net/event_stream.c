// SPDX-License-Identifier: Apache-2.0
//
// The event stream: see event_stream.h. It has two sides. Inside libcurl the answer is checked and
// cut into records, and only stored: the state, a queue of records, the end. The deferral reports
// them, in order, from the loop, where everything may be called.

#include "net/event_stream.h"

#include "base/lifetime.h"
#include "base/memory.h"
#include "base/queue.h"
#include "net/curl_request.h"
#include "net/recordio.h"
#include "net/timeouts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TYPE "application/x-protobuf"

enum stream_state {
    STATE_WAITING,   // for the headers of the answer
    STATE_REFUSED,   // the headers are there and refuse
    STATE_STREAMING, // the headers accept
};

struct received {
    struct queue_item item;
    struct bytes *record;
};

struct event_stream {
    struct loop *loop;
    const struct event_stream_events *events;
    void *data;
    struct event_stream_options options;
    struct curl_loop *curl_loop;
    struct curl_request request;
    struct recordio recordio;
    struct queue queue; // of records, in the order in which they came
    struct deferral delivery;
    enum stream_state state;
    struct error fault; // why the answer is not, or no longer, that of a master
    bool started, paused;
    bool paused_by_queue; // libcurl was told to wait, since the queue is full
    bool over;            // nothing more comes from libcurl
    bool accepted;        // was reported
    bool finished;        // its last event was reported
    struct lifetime lifetime;
};

// ---- the queue ----

static void push(struct queue *queue, struct bytes *record)
{
    struct received *received = memory_new(sizeof *received);
    received->record = record;
    received->item.weight = queue_weight(sizeof *received, record);
    queue_push(queue, &received->item);
}

static struct bytes *pop(struct queue *queue)
{
    struct received *received = queue_pop(queue);
    struct bytes *record = received->record;
    free(received);
    return record;
}

static void empty(struct queue *queue)
{
    while (queue_first(queue) != NULL)
        bytes_unref(pop(queue));
}

// ---- inside libcurl ----

static bool is_protobuf(const char *type)
{
    size_t length = strcspn(type, "; \t");
    return length == strlen(TYPE) && strncasecmp(type, TYPE, length) == 0;
}

// 200 is not enough: many servers answer it to anything.
static bool check_response(struct event_stream *stream)
{
    const struct curl_request *request = &stream->request;
    const char *peer = stream->options.api->peer;
    if (request->content_type[0] == 0)
        return error_set(&stream->fault, ERROR_PROTOCOL,
                         "not a Mesos %s: its answer 200 has no Content-Type, %s expected", peer,
                         TYPE);
    if (!is_protobuf(request->content_type))
        return error_set(&stream->fault, ERROR_PROTOCOL,
                         "not a Mesos %s: its answer 200 has Content-Type '%s', %s expected", peer,
                         request->content_type, TYPE);
    if (request->stream_id[0] == 0 && stream->options.api->stream_ids)
        return error_set(&stream->fault, ERROR_PROTOCOL,
                         "not a Mesos %s: its answer 200 has no Mesos-Stream-Id", peer);
    return true;
}

static bool on_answered(void *data)
{
    struct event_stream *stream = data;
    stream->state = STATE_REFUSED;
    if (stream->request.status != 200)
        return true;
    if (!check_response(stream))
        return false;
    stream->state = STATE_STREAMING;
    curl_request_endless(&stream->request);
    deferral_queue(&stream->delivery);
    return true;
}

static enum curl_request_body decode(struct event_stream *stream, const uint8_t *bytes,
                                     size_t length)
{
    enum recordio_status status;
    struct bytes *record;
    while ((status = recordio_decode(&stream->recordio, &bytes, &length, &record,
                                     &stream->fault)) == RECORDIO_RECORD)
        push(&stream->queue, record);
    deferral_queue(&stream->delivery);
    if (status == RECORDIO_MORE)
        return CURL_REQUEST_TAKEN;
    error_context(&stream->fault, "the stream is no sequence of records");
    return CURL_REQUEST_ENOUGH;
}

static enum curl_request_body on_body(void *data, const uint8_t *bytes, size_t length)
{
    struct event_stream *stream = data;
    if (stream->state != STATE_STREAMING) {
        curl_request_keep(&stream->request, bytes, length);
        return CURL_REQUEST_TAKEN;
    }
    if (stream->queue.bytes < EVENT_STREAM_QUEUE)
        return decode(stream, bytes, length);
    stream->paused_by_queue = true;
    return CURL_REQUEST_LATER;
}

static void on_done(void *data)
{
    struct event_stream *stream = data;
    stream->over = true;
    deferral_queue(&stream->delivery);
}

static const struct curl_request_events request_events = {
    .answered = on_answered, .body = on_body, .done = on_done};

// ---- reports ----

static void report_refused(struct event_stream *stream)
{
    struct http_reply reply = {.body = slice_text(stream->fault.text)};
    if (stream->fault.code == ERROR_NONE)
        reply = curl_request_reply(&stream->request);
    struct buffer body = curl_request_take_body(&stream->request);
    stream->events->refused(stream->data, &reply);
    buffer_free(&body);
}

static void add_cut(struct event_stream *stream, struct error *reason)
{
    const struct recordio *recordio = &stream->recordio;
    char cut[80] = "in the middle of a record's length";
    if (recordio_whole(recordio))
        return;
    if (recordio->record != NULL)
        snprintf(cut, sizeof cut, "in the middle of a record (%zu of its %zu bytes had come)",
                 recordio->filled, recordio->record->length);
    size_t length = strlen(reason->text);
    snprintf(reason->text + length, sizeof reason->text - length, ", %s", cut);
}

static void explain_end(struct event_stream *stream, struct error *reason)
{
    const char *failure = curl_request_failure(&stream->request);
    const char *peer = stream->options.api->peer;
    if (failure == NULL)
        error_set(reason, ERROR_PROTOCOL, "the %s ended the stream", peer);
    else if (stream->request.result == CURLE_PARTIAL_FILE)
        error_set(reason, ERROR_IO, "the %s closed the connection", peer);
    else
        error_set(reason, ERROR_IO, "the stream broke: %s", failure);
    add_cut(stream, reason);
}

static void report_ended(struct event_stream *stream)
{
    struct error reason = stream->fault;
    if (reason.code == ERROR_NONE)
        explain_end(stream, &reason);
    stream->events->ended(stream->data, &reason);
}

static void finish(struct event_stream *stream)
{
    stream->finished = true;
    if (stream->state == STATE_STREAMING)
        report_ended(stream);
    else
        report_refused(stream);
}

static bool may_report(const struct event_stream *stream)
{
    return !stream->lifetime.ended && !stream->paused;
}

// A callback may run the loop itself: what follows must be queued before it is called.
static void report_record(struct event_stream *stream)
{
    struct bytes *record = pop(&stream->queue);
    if (stream->queue.count || stream->over)
        deferral_queue(&stream->delivery);
    stream->events->record(stream->data, record);
}

static void on_delivery(void *data)
{
    struct event_stream *stream = data;
    lifetime_hold(&stream->lifetime);
    if (stream->state == STATE_STREAMING && !stream->accepted) {
        stream->accepted = true;
        deferral_queue(&stream->delivery);
        stream->events->accepted(stream->data, stream->request.stream_id);
    }
    while (may_report(stream) && stream->queue.count)
        report_record(stream);
    if (may_report(stream) && stream->paused_by_queue) {
        stream->paused_by_queue = false;
        curl_request_pause(&stream->request, false);
    }
    if (may_report(stream) && stream->over && !stream->queue.count && !stream->finished)
        finish(stream);
    lifetime_release(&stream->lifetime, free, stream);
}

// ---- life ----

struct event_stream *event_stream_create(struct loop *loop,
                                         const struct event_stream_options *options,
                                         const struct event_stream_events *events, void *data)
{
    struct event_stream *stream = memory_new(sizeof *stream);
    stream->loop = loop;
    stream->events = events;
    stream->data = data;
    stream->options = *options;
    if (stream->options.connect_timeout <= 0)
        stream->options.connect_timeout = TIMEOUT_CONNECT;
    if (stream->options.answer_timeout <= 0)
        stream->options.answer_timeout = TIMEOUT_ANSWER;
    if (stream->options.api == NULL)
        stream->options.api = &peer_api_master;
    stream->curl_loop = curl_loop_create(loop, options->tls);
    queue_init(&stream->queue);
    recordio_init(&stream->recordio, options->record_limit);
    deferral_init(&stream->delivery, loop, on_delivery, stream);
    return stream;
}

void event_stream_start(struct event_stream *stream, const struct url *master,
                        struct slice subscribe)
{
    const struct curl_request_options options = {.connect_timeout = stream->options.connect_timeout,
                                                 .timeout = stream->options.answer_timeout,
                                                 .credentials = stream->options.credentials,
                                                 .api = stream->options.api};
    curl_request_init(&stream->request, stream->curl_loop, master, NULL, &options, &request_events,
                      stream);
    struct bytes *call = bytes_copy(subscribe.data, subscribe.length);
    stream->started = true;
    curl_request_start(&stream->request, call);
    bytes_unref(call);
}

// A full queue is emptied first, by the delivery, before libcurl is told to go on.
void event_stream_pause(struct event_stream *stream, bool paused)
{
    if (stream->paused == paused)
        return;
    stream->paused = paused;
    if (stream->state == STATE_STREAMING && !stream->paused_by_queue)
        curl_request_pause(&stream->request, paused);
    if (!paused)
        deferral_queue(&stream->delivery);
}

void event_stream_destroy(struct event_stream *stream)
{
    if (stream == NULL || !lifetime_end(&stream->lifetime))
        return;
    deferral_cancel(&stream->delivery);
    if (stream->started)
        curl_request_free(&stream->request);
    curl_loop_destroy(stream->curl_loop);
    recordio_free(&stream->recordio);
    empty(&stream->queue);
    lifetime_release(&stream->lifetime, free, stream);
}
