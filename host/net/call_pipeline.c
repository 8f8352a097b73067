// SPDX-License-Identifier: Apache-2.0
//
// Calls in order: see call_pipeline.h. A call moves from `waiting` (accepted) over `written` (its
// bytes are in `out` or on the wire; `end` says where they end) to `answered`, from where the
// deferral reports it. `again` holds those that were refused for credentials that have changed
// since, until all calls written with the old ones are answered. `refused` holds calls that were
// not accepted and only wait for their reply, `leaving` those that a close gave up.
//
// Calls are written, and reported, by the deferral alone, so that a reply is always free to call
// anything. No call is written while the break of a connection is not reported: the owner decides
// whether there is a next one. A call is sent when its last byte went to the connection; before
// that the master cannot have carried it out, and after it it may have.

#include "net/call_pipeline.h"

#include "base/lifetime.h"
#include "base/memory.h"
#include "base/queue.h"
#include "net/authorization.h"
#include "net/call_head.h"
#include "net/curl_socket.h"
#include "net/http_reply_parser.h"
#include "net/peer_timeout.h"
#include "net/timeouts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE = 16 * 1024,    // of reading
    PIECES_MOST = 64,     // in a turn
    FRUITLESS_MOST = 2,   // connections that end before they carried a call
    REPEATS_MOST = 65536, // calls that replies to the calls of a closed stream make
};

static const uint64_t fresh_for = LOOP_SECOND / 200;

struct call {
    struct queue_item item;
    struct bytes *bytes; // NULL of a refused one that there was no room for
    const char *refusal; // why it was not sent, a constant, or NULL
    call_pipeline_on_reply on_reply;
    void *data;

    uint64_t end;        // in the bytes of its connection, of one that is written
    unsigned generation; // of the headers it was written with

    // The answer.
    int status;
    bool broken;
    bool arrived;               // or may have
    struct bytes *body;         // or NULL; shared by all that broke with one connection
    char *location, *challenge; // or NULL
};

struct call_pipeline {
    struct loop *loop;
    struct call_pipeline_options options;
    struct queue waiting, written, again, answered, refused, leaving;
    struct deferral delivery;
    const char *refusal; // why calls are not taken, NULL if they are
    struct lifetime lifetime;

    // The stream.
    bool open;
    struct url master;
    char *stream_id;
    struct authorization authorization;
    char *headers; // of a call, up to the number in Content-Length; NULL: to be made
    size_t headers_length;
    unsigned generation; // how often they were made

    // The connection.
    struct curl_socket *connection; // NULL while there is none
    struct http_reply_parser parser;
    struct buffer out; // what is written and not sent begins at `out_sent`
    size_t out_sent;
    uint64_t queued, sent; // bytes that were written to `out`, and of these sent, since it opened
    bool carried;          // a call
    bool unread;           // reading stopped before all was read
    unsigned fruitless;    // connections in a row that carried none
    struct peer_timeout timeout; // with the first of `written`
};

static const char not_subscribed[] = "not sent: not subscribed";
static const char unanswered[] = "no answer: connection closed";
static const char unsent[] = "not sent: connection closed";
static const char too_many[] = "not sent: too many calls are waiting";
static const char too_long[] = "not sent: it is longer than 64 MiB";

// ---- replies ----

static void forget_answer(struct call *call)
{
    bytes_unref(call->body);
    free(call->location);
    free(call->challenge);
    call->body = NULL;
    call->location = call->challenge = NULL;
    call->status = 0;
}

static void free_call(struct call *call)
{
    forget_answer(call);
    bytes_unref(call->bytes);
    free(call);
}

static struct slice unsent_bytes(const struct call *call)
{
    if (call->status != 0 || call->arrived || call->bytes == NULL)
        return (struct slice){.data = NULL};
    return slice_of(call->bytes);
}

static void report(struct call *call)
{
    struct slice refusal = slice_text(call->refusal);
    const struct http_reply reply = {.status = call->status,
                                     .body = call->body ? slice_of(call->body) : refusal,
                                     .location = call->location,
                                     .challenge = call->challenge,
                                     .broken = call->broken,
                                     .unsent = unsent_bytes(call)};
    if (call->on_reply != NULL)
        call->on_reply(call->data, &reply);
    free_call(call);
}

static void break_call(struct call_pipeline *pipeline, struct call *call, struct bytes *why)
{
    forget_answer(call);
    call->broken = true;
    call->body = bytes_ref(why);
    queue_push(&pipeline->answered, &call->item);
}

static bool has_broken(const struct call_pipeline *pipeline)
{
    const struct call *call = queue_first(&pipeline->answered);
    while (call != NULL && !call->broken)
        call = queue_next(call);
    return call != NULL;
}

// ---- the headers of a call ----

static void drop_headers(struct call_pipeline *pipeline)
{
    memory_wipe(pipeline->headers);
    pipeline->headers = NULL;
}

static void make_headers(struct call_pipeline *pipeline)
{
    drop_headers(pipeline);
    pipeline->headers = call_head(pipeline->options.api, &pipeline->master, pipeline->stream_id,
                                  pipeline->authorization.header);
    pipeline->headers_length = strlen(pipeline->headers);
    pipeline->generation++;
}

static void authorize(struct call_pipeline *pipeline)
{
    bool renewed = authorization_renew(&pipeline->authorization, pipeline->options.credentials);
    if (renewed || pipeline->headers == NULL)
        make_headers(pipeline);
}

// True if the credentials have changed since the call was written.
static bool renewed_since(struct call_pipeline *pipeline, const struct call *call)
{
    if (call->generation == pipeline->generation && pipeline->options.credentials != NULL) {
        credentials_refresh(pipeline->options.credentials);
        authorize(pipeline);
    }
    return call->generation != pipeline->generation;
}

// The bytes may contain credentials.
static void wipe_out(struct call_pipeline *pipeline)
{
    if (pipeline->out.data != NULL)
        explicit_bzero(pipeline->out.data, pipeline->out.capacity);
}

// ---- the end of a connection ----

static void disconnect(struct call_pipeline *pipeline)
{
    curl_socket_destroy(pipeline->connection);
    pipeline->connection = NULL;
    wipe_out(pipeline);
    buffer_clear(&pipeline->out);
    pipeline->out_sent = 0;
    pipeline->queued = pipeline->sent = 0;
    pipeline->carried = pipeline->unread = false;
    http_reply_parser_next(&pipeline->parser);
    peer_timeout_stop(&pipeline->timeout);
}

static bool is_sent(const struct call_pipeline *pipeline, const struct call *call)
{
    return call->end <= pipeline->sent;
}

// A connection that ends before it carried a call is replaced by another one, but only so often.
static void count_fruitless(struct call_pipeline *pipeline, struct bytes *why)
{
    if (pipeline->carried || queue_first(&pipeline->waiting) == NULL) {
        pipeline->fruitless = 0;
    } else if (++pipeline->fruitless >= FRUITLESS_MOST) {
        pipeline->fruitless = 0;
        break_call(pipeline, queue_pop(&pipeline->waiting), why);
    }
}

static void connection_lost(struct call_pipeline *pipeline)
{
    const char *text = curl_socket_failure(pipeline->connection, pipeline->parser.begun);
    struct bytes *why = bytes_copy(text, strlen(text));
    for (struct call *call; (call = queue_first(&pipeline->written)) && is_sent(pipeline, call);) {
        pipeline->carried = true;
        call->arrived = true;
        break_call(pipeline, queue_pop(&pipeline->written), why);
    }
    queue_put_back(&pipeline->waiting, &pipeline->written);
    queue_put_back(&pipeline->waiting, &pipeline->again);
    count_fruitless(pipeline, why);
    bytes_unref(why);
    disconnect(pipeline);
    deferral_queue(&pipeline->delivery);
}

// ---- answers ----

static char *copy_text(const char *text)
{
    return text ? memory_string(text) : NULL;
}

static void keep_answer(struct call_pipeline *pipeline, struct call *call)
{
    const struct http_reply_parser *parser = &pipeline->parser;
    if (pipeline->carried && parser->status / 100 == 2 && parser->body.length == 0) {
        call->status = parser->status; // nearly all
        return;
    }
    const struct http_reply reply =
        curl_socket_reply(pipeline->connection, parser->status, parser->location, parser->challenge,
                          buffer_slice(&parser->body));
    call->status = reply.status;
    call->location = copy_text(reply.location);
    call->challenge = copy_text(reply.challenge);
    if (reply.body.length > 0)
        call->body = bytes_copy(reply.body.data, reply.body.length);
}

// The answer to the first call that has none.
static void receive_answer(struct call_pipeline *pipeline)
{
    struct call *call = queue_pop(&pipeline->written);
    keep_answer(pipeline, call);
    pipeline->carried = true;
    pipeline->fruitless = 0;
    if (call->status == 401 && renewed_since(pipeline, call))
        queue_push(&pipeline->again, &call->item);
    else
        queue_push(&pipeline->answered, &call->item);
    peer_timeout_renew(&pipeline->timeout);
}

// A response cut off by the end of the connection still counts.
static void end_reading(struct call_pipeline *pipeline)
{
    if (pipeline->parser.answered && queue_first(&pipeline->written) != NULL)
        receive_answer(pipeline);
    connection_lost(pipeline);
}

static void stop_reading(struct call_pipeline *pipeline, const char *why)
{
    curl_socket_fail(pipeline->connection, why);
    connection_lost(pipeline);
}

// After an answer that came before all of its call was sent, the master is in the middle of the
// call.
static bool ends_connection(const struct call_pipeline *pipeline, bool whole_call)
{
    return pipeline->parser.close || !whole_call;
}

// False: the connection is gone.
static bool receive_bytes(struct call_pipeline *pipeline, const uint8_t *bytes, size_t length)
{
    struct error err = {.code = ERROR_NONE};
    while (length > 0) {
        const struct call *call = queue_first(&pipeline->written);
        if (call == NULL) {
            stop_reading(pipeline, "an answer came that no call had asked for");
            return false;
        }
        bool whole_call = is_sent(pipeline, call);
        switch (http_reply_parser_feed(&pipeline->parser, &bytes, &length, &err)) {
        case HTTP_REPLY_MORE:
            return true;
        case HTTP_REPLY_BAD:
            stop_reading(pipeline, err.text);
            return false;
        case HTTP_REPLY_BODY: // is not announced
        case HTTP_REPLY_WHOLE:
            break;
        }
        receive_answer(pipeline);
        if (ends_connection(pipeline, whole_call)) {
            stop_reading(pipeline, "the master closed the connection behind an earlier answer");
            return false;
        }
        http_reply_parser_next(&pipeline->parser);
    }
    return true;
}

static void expect_answer(struct call_pipeline *pipeline);

// False: the connection is gone.
static bool read_answers(struct call_pipeline *pipeline)
{
    uint8_t piece[PIECE];
    size_t length;
    pipeline->unread = true;
    for (int i = 0; i < PIECES_MOST && pipeline->unread; i++) {
        if (!curl_socket_read(pipeline->connection, piece, sizeof piece, &length)) {
            end_reading(pipeline);
            return false;
        }
        pipeline->unread = curl_socket_may_have_more(pipeline->connection, length, sizeof piece);
        if (!receive_bytes(pipeline, piece, length))
            return false;
    }
    if (pipeline->unread || queue_first(&pipeline->answered) != NULL ||
        queue_first(&pipeline->again) != NULL)
        deferral_queue(&pipeline->delivery);
    expect_answer(pipeline);
    return true;
}

// ---- time-outs ----

// The time-out counts for the first call that has no answer.
static void expect_answer(struct call_pipeline *pipeline)
{
    if (queue_first(&pipeline->written) == NULL)
        peer_timeout_stop(&pipeline->timeout);
    else
        peer_timeout_start(&pipeline->timeout);
}

static void on_timeout_due(void *data, uint64_t waited)
{
    struct call_pipeline *pipeline = data;
    uint64_t most = loop_seconds(pipeline->options.timeout);
    if (waited < most) {
        peer_timeout_until(&pipeline->timeout, most);
        return;
    }
    char why[64];
    snprintf(why, sizeof why, "no answer within %g seconds", pipeline->options.timeout);
    curl_socket_fail(pipeline->connection, why);
    end_reading(pipeline);
}

// ---- the connection ----

static void on_opened(void *data)
{
    struct call_pipeline *pipeline = data;
    deferral_queue(&pipeline->delivery);
}

static void on_ready(void *data);

static const struct curl_socket_events connection_events = {.opened = on_opened, .ready = on_ready};

static void open_connection(struct call_pipeline *pipeline)
{
    const struct curl_socket_options options = {.connect_timeout =
                                                    pipeline->options.connect_timeout,
                                                .timeout = pipeline->options.timeout,
                                                .tls = pipeline->options.tls,
                                                .api = pipeline->options.api};
    pipeline->connection = curl_socket_create(pipeline->loop, &pipeline->master, &options,
                                              &connection_events, pipeline);
}

// The first call is answered with the failure; the next one opens another connection.
static void fail_to_connect(struct call_pipeline *pipeline)
{
    const char *text = curl_socket_failure(pipeline->connection, false);
    struct bytes *why = bytes_copy(text, strlen(text));
    if (queue_first(&pipeline->waiting) != NULL)
        break_call(pipeline, queue_pop(&pipeline->waiting), why);
    bytes_unref(why);
    disconnect(pipeline);
}

// ---- writing ----

// Frees the memory of what was sent, when that is much or all.
static void trim_out(struct call_pipeline *pipeline)
{
    if (pipeline->out_sent < pipeline->out.length && pipeline->out_sent < 256 * (size_t)1024)
        return;
    buffer_consume(&pipeline->out, pipeline->out_sent);
    pipeline->out_sent = 0;
    if (pipeline->out.length == 0 && pipeline->out.capacity > CALL_PIPELINE_UNSENT / 4) {
        wipe_out(pipeline);
        buffer_free(&pipeline->out);
    }
}

// False: the connection is gone.
static bool flush(struct call_pipeline *pipeline)
{
    struct buffer *out = &pipeline->out;
    size_t done = 1;
    while (pipeline->out_sent < out->length && done > 0) {
        if (!curl_socket_write(pipeline->connection, out->data + pipeline->out_sent,
                               out->length - pipeline->out_sent, &done)) {
            if (read_answers(pipeline)) // the master may have answered before it closed
                connection_lost(pipeline);
            return false;
        }
        pipeline->out_sent += done;
        pipeline->sent += done;
    }
    trim_out(pipeline);
    curl_socket_watch(pipeline->connection,
                      out->length > 0 ? CURL_SOCKET_READ_WRITE : CURL_SOCKET_READ);
    expect_answer(pipeline);
    return true;
}

static size_t length_of(const struct call *call)
{
    return call->bytes ? call->bytes->length : 0;
}

static bool has_room(const struct call_pipeline *pipeline)
{
    size_t length =
        pipeline->headers_length + CALL_HEAD_LENGTH + length_of(queue_first(&pipeline->waiting));
    size_t held = pipeline->out.length - pipeline->out_sent;
    return pipeline->written.count < pipeline->options.window &&
           (held == 0 || (held < CALL_PIPELINE_UNSENT && length <= CALL_PIPELINE_UNSENT - held));
}

// Writing a call for each answer would cost a system call each, at both ends. While the window is
// nearly full, calls are collected.
static bool batch_is_due(const struct call_pipeline *pipeline)
{
    size_t window = pipeline->options.window;
    size_t room = pipeline->written.count < window ? window - pipeline->written.count : 0;
    return room >= pipeline->waiting.count || room > window / 4;
}

static void write_call(struct call_pipeline *pipeline)
{
    struct call *call = queue_pop(&pipeline->waiting);
    struct buffer *out = &pipeline->out;
    size_t before = out->length;
    char length[CALL_HEAD_LENGTH];
    buffer_append(out, pipeline->headers, pipeline->headers_length);
    buffer_append_slice(out, call_head_length(length, call->bytes->length));
    buffer_append(out, call->bytes->data, call->bytes->length);
    forget_answer(call);
    pipeline->queued += out->length - before;
    call->end = pipeline->queued;
    call->generation = pipeline->generation;
    queue_push(&pipeline->written, &call->item);
}

static void fill(struct call_pipeline *pipeline)
{
    if (queue_first(&pipeline->again) != NULL && queue_first(&pipeline->written) != NULL)
        return; // in order: these first, but not before all behind them came back
    queue_put_back(&pipeline->waiting, &pipeline->again);
    if (queue_first(&pipeline->waiting) == NULL || !batch_is_due(pipeline))
        return;
    authorize(pipeline);
    while (queue_first(&pipeline->waiting) != NULL && has_room(pipeline))
        write_call(pipeline);
}

// A connection with no call in flight may have ended meanwhile. The loop has seen it if it looked a
// moment ago, but not if a callback has kept it busy since.
static bool is_alive(struct call_pipeline *pipeline)
{
    bool fresh = loop_now(pipeline->loop) - loop_polled(pipeline->loop) < fresh_for;
    return queue_first(&pipeline->written) != NULL || fresh || read_answers(pipeline);
}

static void go_on(struct call_pipeline *pipeline)
{
    if (!pipeline->open || has_broken(pipeline))
        return;
    enum curl_socket_state state =
        pipeline->connection ? curl_socket_state(pipeline->connection) : CURL_SOCKET_OPENING;
    if (state == CURL_SOCKET_FAILED) {
        fail_to_connect(pipeline);
        deferral_queue(&pipeline->delivery);
    } else if (state == CURL_SOCKET_OPEN) {
        if (pipeline->unread && !read_answers(pipeline))
            return;
        if (queue_first(&pipeline->waiting) != NULL && !is_alive(pipeline))
            return;
        fill(pipeline);
        flush(pipeline);
    } else if (pipeline->connection == NULL && queue_first(&pipeline->waiting) != NULL) {
        open_connection(pipeline);
    }
}

static void on_ready(void *data)
{
    struct call_pipeline *pipeline = data;
    if (!read_answers(pipeline))
        return;
    if (pipeline->out.length > 0)
        deferral_queue(&pipeline->delivery); // there may be room to write
}

// ---- reporting ----

// At most those that were there when it began: a call that is made in a reply is answered in the
// next turn.
static void report_all(struct queue *queue)
{
    for (size_t count = queue->count; count > 0 && queue_first(queue) != NULL; count--)
        report(queue_pop(queue));
}

static bool has_reports(const struct call_pipeline *pipeline)
{
    return queue_first(&pipeline->answered) != NULL || queue_first(&pipeline->refused) != NULL;
}

static bool has_work(const struct call_pipeline *pipeline)
{
    return has_reports(pipeline) || queue_first(&pipeline->waiting) != NULL ||
           queue_first(&pipeline->again) != NULL || pipeline->unread;
}

static void on_delivery(void *data)
{
    struct call_pipeline *pipeline = data;
    lifetime_hold(&pipeline->lifetime);
    go_on(pipeline);
    if (has_reports(pipeline))
        deferral_queue(&pipeline->delivery); // for a callback that runs the loop itself
    report_all(&pipeline->answered);
    report_all(&pipeline->refused);
    if (!has_work(pipeline))
        deferral_cancel(&pipeline->delivery);
    lifetime_release(&pipeline->lifetime, free, pipeline);
}

// ---- life ----

static void set_defaults(struct call_pipeline_options *options)
{
    if (options->bytes == 0)
        options->bytes = CALL_PIPELINE_BYTES;
    if (options->window == 0)
        options->window = CALL_PIPELINE_WINDOW;
    if (options->connect_timeout <= 0)
        options->connect_timeout = TIMEOUT_CONNECT;
    if (options->timeout <= 0)
        options->timeout = TIMEOUT_ANSWER;
    if (options->api == NULL)
        options->api = &peer_api_master;
}

struct call_pipeline *call_pipeline_create(struct loop *loop,
                                           const struct call_pipeline_options *options)
{
    struct call_pipeline *pipeline = memory_new(sizeof *pipeline);
    pipeline->loop = loop;
    pipeline->options = *options;
    set_defaults(&pipeline->options);
    pipeline->refusal = not_subscribed;
    queue_init(&pipeline->waiting);
    queue_init(&pipeline->written);
    queue_init(&pipeline->again);
    queue_init(&pipeline->answered);
    queue_init(&pipeline->refused);
    queue_init(&pipeline->leaving);
    // The headers of the longest call come on top.
    buffer_init(&pipeline->out, CALL_PIPELINE_LONGEST + 2 * CALL_PIPELINE_UNSENT);
    http_reply_parser_init(&pipeline->parser);
    deferral_init(&pipeline->delivery, loop, on_delivery, pipeline);
    peer_timeout_init(&pipeline->timeout, loop, on_timeout_due, pipeline);
    return pipeline;
}

void call_pipeline_open(struct call_pipeline *pipeline, const struct url *master,
                        const char *stream_id)
{
    lifetime_hold(&pipeline->lifetime);
    call_pipeline_close(pipeline);
    if (!pipeline->lifetime.ended) {
        pipeline->refusal = NULL;
        pipeline->open = true;
        pipeline->master = *master;
        free(pipeline->stream_id);
        pipeline->stream_id = memory_string(stream_id);
        pipeline->fruitless = 0;
        drop_headers(pipeline);
    }
    lifetime_release(&pipeline->lifetime, free, pipeline);
}

void call_pipeline_end(struct call_pipeline *pipeline)
{
    pipeline->refusal = not_subscribed;
}

static void give_up(struct call_pipeline *pipeline, struct queue *queue)
{
    for (struct call *call; (call = queue_pop(queue)) != NULL;) {
        bool arrived = queue == &pipeline->written && is_sent(pipeline, call);
        call->refusal = arrived ? unanswered : unsent;
        call->arrived = arrived;
        forget_answer(call);
        queue_push(&pipeline->leaving, &call->item);
    }
}

// The calls that close() has to answer leave their lists, where a reply that opens the pipeline
// again puts new ones, but stay in reach of a close or destroy inside a reply. They are answered as
// closed, not as broken.
static void give_up_all(struct call_pipeline *pipeline)
{
    queue_append(&pipeline->leaving, &pipeline->answered);
    queue_append(&pipeline->leaving, &pipeline->again);
    for (struct call *call = queue_first(&pipeline->leaving); call != NULL; call = queue_next(call))
        call->broken = false;
    give_up(pipeline, &pipeline->written);
    give_up(pipeline, &pipeline->waiting);
}

// Calls that are made in the replies are answered as well, up to a number, so a caller that always
// sends again cannot loop for ever.
static void answer_all(struct call_pipeline *pipeline)
{
    for (struct call *call; (call = queue_pop(&pipeline->leaving)) != NULL;)
        report(call);
    size_t left = pipeline->refused.count + REPEATS_MOST;
    for (struct call *call; left > 0 && (call = queue_pop(&pipeline->refused)) != NULL; left--)
        report(call);
}

void call_pipeline_close(struct call_pipeline *pipeline)
{
    lifetime_hold(&pipeline->lifetime);
    pipeline->refusal = not_subscribed;
    pipeline->open = false;
    give_up_all(pipeline);
    disconnect(pipeline);
    answer_all(pipeline);
    lifetime_release(&pipeline->lifetime, free, pipeline);
}

size_t call_pipeline_waiting(const struct call_pipeline *pipeline)
{
    return pipeline->waiting.bytes + pipeline->written.bytes + pipeline->again.bytes;
}

static const char *find_refusal(const struct call_pipeline *pipeline, struct slice call)
{
    if (pipeline->refusal != NULL)
        return pipeline->refusal;
    if (call.length > CALL_PIPELINE_LONGEST)
        return too_long;
    size_t waiting = call_pipeline_waiting(pipeline), most = pipeline->options.bytes;
    return waiting > most || call.length > most - waiting ? too_many : NULL;
}

void call_pipeline_send(struct call_pipeline *pipeline, struct slice bytes,
                        call_pipeline_on_reply on_reply, void *data)
{
    const char *refusal = find_refusal(pipeline, bytes);
    if (refusal != NULL && on_reply == NULL)
        return;
    struct call *call = memory_new(sizeof *call);
    *call = (struct call){.refusal = refusal, .on_reply = on_reply, .data = data};
    if (refusal == NULL || pipeline->refused.bytes + bytes.length <= pipeline->options.bytes)
        call->bytes = bytes_copy(bytes.data, bytes.length);
    call->item.weight = queue_weight(sizeof *call, call->bytes);
    queue_push(refusal != NULL ? &pipeline->refused : &pipeline->waiting, &call->item);
    deferral_queue(&pipeline->delivery);
}

static void forget_stream(struct call_pipeline *pipeline)
{
    authorization_forget(&pipeline->authorization);
    drop_headers(pipeline);
    free(pipeline->stream_id);
    pipeline->stream_id = NULL;
    http_reply_parser_free(&pipeline->parser);
    buffer_free(&pipeline->out);
}

void call_pipeline_destroy(struct call_pipeline *pipeline)
{
    if (pipeline == NULL || !lifetime_end(&pipeline->lifetime))
        return;
    call_pipeline_close(pipeline);
    for (struct call *call; (call = queue_pop(&pipeline->refused)) != NULL;)
        free_call(call);
    deferral_cancel(&pipeline->delivery);
    forget_stream(pipeline);
    lifetime_release(&pipeline->lifetime, free, pipeline);
}
