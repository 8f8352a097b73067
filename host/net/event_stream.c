// SPDX-License-Identifier: Apache-2.0
//
// The event stream: see event_stream.h. It has two sides. What the socket has is read, checked and
// cut into records, and only stored: the state, a queue of records, the end. The deferral reports
// them, in order, from the loop, where everything may be called.

#include "net/event_stream.h"

#include "base/lifetime.h"
#include "base/memory.h"
#include "base/queue.h"
#include "net/authorization.h"
#include "net/call_head.h"
#include "net/curl_failure.h"
#include "net/curl_socket.h"
#include "net/http_reply_parser.h"
#include "net/peer_timeout.h"
#include "net/recordio.h"
#include "net/timeouts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    PIECE = 64 * 1024,        // of reading
    PIECES_MOST = 16,         // in a turn
    DIRECT_LEAST = 16 * 1024, // of a record, that is read into its place
};

enum stream_state {
    STATE_OPENING,   // the connection
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
    struct url master;
    struct bytes *subscribe;
    struct curl_socket *connection;
    struct peer_timeout timeout; // of the answer
    struct buffer out;           // the request; what is not sent begins at `sent`
    size_t sent;
    // PIECE bytes to read into. On the stack each page of it would be touched at each read.
    uint8_t *piece;
    struct http_reply_parser parser;
    struct recordio recordio;
    struct queue queue; // of records, in the order in which they came
    struct deferral delivery;
    enum stream_state state;
    struct error fault; // why the answer is not, or no longer, that of a master
    bool paused;
    bool quiet;    // nothing is read: it is paused, or the queue is full
    bool unread;   // reading stopped before all was read
    bool over;     // nothing more comes
    bool whole;    // the answer has ended as HTTP says
    bool accepted; // was reported
    bool finished; // its last event was reported
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

// ---- the end of reading ----

// Reports from the loop what is stored.
static void end(struct event_stream *stream)
{
    stream->over = true;
    peer_timeout_stop(&stream->timeout);
    curl_socket_watch(stream->connection, CURL_SOCKET_QUIET);
    deferral_queue(&stream->delivery);
}

// What came is no answer of HTTP.
static void fail(struct event_stream *stream, const struct error *err)
{
    char why[sizeof err->text];
    bool began = stream->parser.status != 0;
    snprintf(why, sizeof why, "%s%s", err->text,
             began ? "" : curl_failure_tls_hint(&stream->master));
    curl_socket_fail(stream->connection, why);
    end(stream);
}

// ---- reading ----

static bool is_protobuf(const char *type)
{
    size_t length = strcspn(type, "; \t");
    return length == strlen(CALL_HEAD_TYPE) && strncasecmp(type, CALL_HEAD_TYPE, length) == 0;
}

// 200 is not enough: many servers answer it to anything.
static bool check_response(struct event_stream *stream)
{
    const struct http_reply_parser *parser = &stream->parser;
    const char *peer = stream->options.api->peer;
    if (parser->content_type[0] == 0)
        return error_set(&stream->fault, ERROR_PROTOCOL,
                         "not a Mesos %s: its answer 200 has no Content-Type, %s expected", peer,
                         CALL_HEAD_TYPE);
    if (!is_protobuf(parser->content_type))
        return error_set(&stream->fault, ERROR_PROTOCOL,
                         "not a Mesos %s: its answer 200 has Content-Type '%s', %s expected", peer,
                         parser->content_type, CALL_HEAD_TYPE);
    if (parser->stream_id[0] == 0 && stream->options.api->stream_ids)
        return error_set(&stream->fault, ERROR_PROTOCOL,
                         "not a Mesos %s: its answer 200 has no Mesos-Stream-Id", peer);
    return true;
}

static void read_headers(struct event_stream *stream)
{
    stream->state = STATE_REFUSED;
    if (stream->parser.status != 200)
        return;
    if (!check_response(stream)) {
        end(stream);
        return;
    }
    stream->state = STATE_STREAMING;
    peer_timeout_stop(&stream->timeout);
    deferral_queue(&stream->delivery);
}

static void decode(struct event_stream *stream, struct slice piece)
{
    enum recordio_status status;
    struct bytes *record;
    while ((status = recordio_decode(&stream->recordio, &piece.data, &piece.length, &record,
                                     &stream->fault)) == RECORDIO_RECORD)
        push(&stream->queue, record);
    deferral_queue(&stream->delivery);
    if (status == RECORDIO_MORE)
        return;
    error_context(&stream->fault, "the stream is no sequence of records");
    end(stream);
}

static enum http_reply_status take(struct event_stream *stream, const uint8_t **bytes,
                                   size_t *length, struct slice *piece, struct error *err)
{
    if (stream->state == STATE_STREAMING)
        return http_reply_parser_piece(&stream->parser, bytes, length, piece, err);
    enum http_reply_status status = http_reply_parser_feed(&stream->parser, bytes, length, err);
    if (stream->state == STATE_WAITING && stream->parser.answered && status != HTTP_REPLY_BAD)
        read_headers(stream);
    return status;
}

static void receive(struct event_stream *stream, const uint8_t *bytes, size_t length)
{
    struct error err = {.code = ERROR_NONE};
    enum http_reply_status status = HTTP_REPLY_BODY;
    while (status == HTTP_REPLY_BODY && !stream->over) {
        struct slice piece = {.length = 0};
        status = take(stream, &bytes, &length, &piece, &err);
        if (status == HTTP_REPLY_BODY && piece.length > 0)
            decode(stream, piece);
    }
    if (status == HTTP_REPLY_BAD)
        fail(stream, &err);
    stream->whole = status == HTTP_REPLY_WHOLE;
    if (stream->whole && !stream->over)
        end(stream);
}

static bool is_full(const struct event_stream *stream)
{
    return stream->paused || stream->queue.bytes >= EVENT_STREAM_QUEUE;
}

// Where the next bytes go, if a long record misses as many and nothing else comes before: its own
// place. 0: they are to be looked at.
static size_t find_space(const struct event_stream *stream, uint8_t **space)
{
    if (stream->state != STATE_STREAMING)
        return 0;
    size_t missing = recordio_space(&stream->recordio, space);
    uint64_t run = http_reply_parser_run(&stream->parser);
    size_t size = run < missing ? (size_t)run : missing;
    return size < DIRECT_LEAST ? 0 : size;
}

// The answer may have ended with these bytes.
static void receive_direct(struct event_stream *stream, size_t length)
{
    http_reply_parser_skip(&stream->parser, length);
    struct bytes *record = recordio_filled(&stream->recordio, length);
    if (record != NULL)
        push(&stream->queue, record);
    deferral_queue(&stream->delivery);
    receive(stream, NULL, 0);
}

static void read_piece(struct event_stream *stream)
{
    uint8_t *at = stream->piece;
    size_t length, direct = find_space(stream, &at), size = direct ? direct : PIECE;
    if (!curl_socket_read(stream->connection, direct ? at : stream->piece, size, &length)) {
        end(stream);
        return;
    }
    stream->unread = curl_socket_may_have_more(stream->connection, length, size);
    if (direct)
        receive_direct(stream, length);
    else
        receive(stream, stream->piece, length);
}

static void read_answer(struct event_stream *stream)
{
    stream->unread = true;
    for (int i = 0; i < PIECES_MOST && stream->unread && !stream->over && !is_full(stream); i++)
        read_piece(stream);
    if (stream->over)
        return;
    if (stream->unread)
        deferral_queue(&stream->delivery);
}

// ---- the request ----

static void forget_request(struct event_stream *stream)
{
    if (stream->out.data != NULL)
        explicit_bzero(stream->out.data, stream->out.capacity); // it may have credentials
    buffer_free(&stream->out);
    stream->sent = 0;
}

static void make_request(struct event_stream *stream)
{
    char length[CALL_HEAD_LENGTH];
    struct authorization authorization = {.header = NULL};
    authorization_renew(&authorization, stream->options.credentials);
    char *head = call_head(stream->options.api, &stream->master, NULL, authorization.header);
    buffer_append_text(&stream->out, head);
    buffer_append_slice(&stream->out, call_head_length(length, stream->subscribe->length));
    buffer_append_slice(&stream->out, slice_of(stream->subscribe));
    memory_wipe(head);
    authorization_forget(&authorization);
}

// A master that refuses a long request answers before it was sent.
static void send_request(struct event_stream *stream)
{
    size_t done = 1;
    while (stream->sent < stream->out.length && done > 0) {
        if (!curl_socket_write(stream->connection, stream->out.data + stream->sent,
                               stream->out.length - stream->sent, &done)) {
            read_answer(stream);
            if (!stream->over)
                end(stream);
            return;
        }
        stream->sent += done;
    }
    bool whole = stream->sent == stream->out.length;
    if (whole)
        forget_request(stream);
    curl_socket_watch(stream->connection, whole ? CURL_SOCKET_READ : CURL_SOCKET_READ_WRITE);
}

static void on_ready(void *data)
{
    struct event_stream *stream = data;
    if (stream->out.length > 0)
        send_request(stream);
    if (!stream->over)
        read_answer(stream);
}

static void on_opened(void *data)
{
    struct event_stream *stream = data;
    deferral_queue(&stream->delivery);
}

static const struct curl_socket_events connection_events = {.opened = on_opened, .ready = on_ready};

static void on_timeout_due(void *data, uint64_t waited)
{
    struct event_stream *stream = data;
    uint64_t most = loop_seconds(stream->options.answer_timeout);
    if (waited < most) {
        peer_timeout_until(&stream->timeout, most);
        return;
    }
    char why[64];
    snprintf(why, sizeof why, "no answer within %g seconds", stream->options.answer_timeout);
    curl_socket_fail(stream->connection, why);
    end(stream);
}

static void go_on(struct event_stream *stream)
{
    enum curl_socket_state state = curl_socket_state(stream->connection);
    if (stream->state == STATE_OPENING && state == CURL_SOCKET_FAILED) {
        end(stream);
    } else if (stream->state == STATE_OPENING && state == CURL_SOCKET_OPEN) {
        stream->state = STATE_WAITING;
        make_request(stream);
        send_request(stream);
    } else if (stream->unread && !is_full(stream)) {
        read_answer(stream);
    }
}

// Reading stops while nothing can be taken, so that the master sees that we are slow.
static void set_quiet(struct event_stream *stream)
{
    bool quiet = is_full(stream), asked = stream->state != STATE_OPENING && stream->out.length == 0;
    if (quiet == stream->quiet || !asked || stream->over)
        return;
    stream->quiet = quiet;
    curl_socket_watch(stream->connection, quiet ? CURL_SOCKET_QUIET : CURL_SOCKET_READ);
    if (!quiet)
        stream->unread = true;
}

// ---- reports ----

// The reply is in the connection, which outlives a stream that is destroyed in the callback.
static void report_refused(struct event_stream *stream)
{
    struct curl_socket *connection = stream->connection;
    const struct http_reply_parser *parser = &stream->parser;
    struct http_reply reply = {.body = slice_text(stream->fault.text)};
    if (stream->fault.code == ERROR_NONE && parser->answered)
        reply = curl_socket_reply(connection, parser->status, parser->location, parser->challenge,
                                  buffer_slice(&parser->body));
    else if (stream->fault.code == ERROR_NONE)
        reply = (struct http_reply){
            .body = slice_text(curl_socket_failure(connection, parser->begun)), .broken = true};
    stream->connection = NULL;
    stream->events->refused(stream->data, &reply);
    curl_socket_destroy(connection);
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
    const char *peer = stream->options.api->peer;
    bool ended = curl_socket_closed(stream->connection);
    if (stream->whole || (ended && http_reply_parser_end(&stream->parser)))
        error_set(reason, ERROR_PROTOCOL, "the %s ended the stream", peer);
    else if (ended)
        error_set(reason, ERROR_IO, "the %s closed the connection", peer);
    else
        error_set(reason, ERROR_IO, "the stream broke: %s",
                  curl_socket_failure(stream->connection, true));
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
    if (!stream->over)
        go_on(stream);
    if (stream->state == STATE_STREAMING && !stream->accepted) {
        stream->accepted = true;
        deferral_queue(&stream->delivery);
        stream->events->accepted(stream->data, stream->parser.stream_id);
    }
    while (may_report(stream) && stream->queue.count)
        report_record(stream);
    if (!stream->lifetime.ended)
        set_quiet(stream);
    if (may_report(stream) && stream->unread && !stream->over)
        deferral_queue(&stream->delivery);
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
    stream->piece = memory_resize(NULL, PIECE);
    buffer_init(&stream->out, SIZE_MAX / 2);
    http_reply_parser_init(&stream->parser);
    stream->parser.announce = true;
    queue_init(&stream->queue);
    recordio_init(&stream->recordio, options->record_limit);
    deferral_init(&stream->delivery, loop, on_delivery, stream);
    peer_timeout_init(&stream->timeout, loop, on_timeout_due, stream);
    return stream;
}

void event_stream_start(struct event_stream *stream, const struct url *master,
                        struct slice subscribe)
{
    const struct curl_socket_options options = {.connect_timeout = stream->options.connect_timeout,
                                                .timeout = stream->options.answer_timeout,
                                                .tls = stream->options.tls,
                                                .credentials = stream->options.credentials,
                                                .api = stream->options.api};
    stream->master = *master;
    stream->subscribe = bytes_copy(subscribe.data, subscribe.length);
    stream->connection =
        curl_socket_create(stream->loop, master, &options, &connection_events, stream);
    peer_timeout_start(&stream->timeout);
}

void event_stream_pause(struct event_stream *stream, bool paused)
{
    if (stream->paused == paused)
        return;
    stream->paused = paused;
    set_quiet(stream);
    if (!paused)
        deferral_queue(&stream->delivery);
}

void event_stream_destroy(struct event_stream *stream)
{
    if (stream == NULL || !lifetime_end(&stream->lifetime))
        return;
    deferral_cancel(&stream->delivery);
    peer_timeout_stop(&stream->timeout);
    curl_socket_destroy(stream->connection);
    stream->connection = NULL;
    bytes_unref(stream->subscribe);
    forget_request(stream);
    free(stream->piece);
    http_reply_parser_free(&stream->parser);
    recordio_free(&stream->recordio);
    empty(&stream->queue);
    lifetime_release(&stream->lifetime, free, stream);
}
