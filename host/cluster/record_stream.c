// SPDX-License-Identifier: Apache-2.0
//
// Streams of records; see the header. The reader of the response returns one record at a time, so
// each is a chunk of its own as with a real master, and suspends the connection when there is none.
// When many wait, as after a RECONCILE of everything, a chunk holds as many as fit: single records
// would cost a system call each here and at the client.

#include "cluster/record_stream.h"

#include "base/log.h"
#include "base/memory.h"
#include "cluster/http_negotiation.h"
#include "wire/json_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_AT_ONCE ((size_t)32 << 10)
#define BATCH_FROM 64 // waiting records; with fewer each is a chunk of its own

struct record {
    STAILQ_ENTRY(record) link;
    uint64_t due; // loop_now(): it is not sent before
    size_t length, sent;
    uint8_t data[];
};

enum record_stream_state {
    STREAM_OPEN,   // the owner may send
    STREAM_CHOKED, // its connection is being closed, as when too much is unread
    STREAM_ENDING, // a last chunk follows what is queued
    STREAM_LOST,   // nothing can be sent any more
};

struct record_stream {
    TAILQ_ENTRY(record_stream) link;
    struct record_streams *streams;
    struct http_exchange *exchange;
    struct record_stream_owner owner;
    char id[UUID_TEXT];
    bool json;
    bool suspended;           // the connection, until there is a record
    bool stalled;             // nothing is sent
    uint64_t delay, last_due; // of each record, and of the last one
    struct timer waking;      // when the first record is due
    enum record_stream_state state;
    STAILQ_HEAD(, record) records;
    size_t queued, waiting; // bytes and records
};

// ---- states ----

static void wake(struct record_stream *stream)
{
    if (!stream->suspended)
        return;
    stream->suspended = false;
    MHD_resume_connection(stream->exchange->connection);
    http_server_wake(stream->exchange->server);
}

// The only place where a stream changes its state. The connection is woken to see it.
static void enter(struct record_stream *stream, enum record_stream_state state)
{
    if (stream->state == STREAM_LOST)
        return;
    stream->state = state;
    wake(stream);
    if (state == STREAM_CHOKED)
        http_exchange_break(stream->exchange); // which loses the stream, later
    else if (state == STREAM_LOST && stream->owner.lost != NULL)
        stream->owner.lost(stream->owner.data, stream->id);
}

void record_stream_end(struct record_stream *stream)
{
    stream->owner.lost = NULL;
    if (stream->state == STREAM_OPEN)
        enter(stream, STREAM_ENDING);
}

void record_stream_leave(struct record_stream *stream)
{
    enter(stream, STREAM_LOST);
}

void record_streams_abandon(struct record_streams *streams)
{
    struct record_stream *stream;
    TAILQ_FOREACH(stream, streams, link)
    {
        stream->owner.lost = NULL;
        enter(stream, STREAM_LOST);
    }
}

void record_stream_cut(struct record_stream *stream)
{
    if (stream->state != STREAM_CHOKED)
        enter(stream, STREAM_CHOKED);
}

void record_streams_cut(struct record_streams *streams)
{
    struct record_stream *stream;
    TAILQ_FOREACH(stream, streams, link)
    {
        stream->owner.lost = NULL;
        record_stream_cut(stream);
    }
}

struct record_stream *record_streams_find(const struct record_streams *streams, const char *id)
{
    struct record_stream *stream;
    TAILQ_FOREACH(stream, streams, link)
    {
        if (id != NULL && stream->state == STREAM_OPEN && strcmp(stream->id, id) == 0)
            return stream;
    }
    return NULL;
}

bool record_streams_has(const struct record_streams *streams, const char *id)
{
    return record_streams_find(streams, id) != NULL;
}

// ---- stalled and slow streams ----

static struct loop *loop_of(const struct record_stream *stream)
{
    return http_server_loop(stream->exchange->server);
}

// True if the first record may be sent; if it is only too early, the stream is woken in time.
static bool may_send(struct record_stream *stream)
{
    const struct record *record = STAILQ_FIRST(&stream->records);
    if (record == NULL || stream->stalled)
        return false;
    if (record->due == 0)
        return true;
    uint64_t now = loop_now(loop_of(stream));
    if (record->due > now)
        timer_start(&stream->waking, record->due - now);
    return record->due <= now;
}

static void on_waking(void *data)
{
    wake(data);
}

void record_stream_stall(struct record_stream *stream, bool stalled)
{
    stream->stalled = stalled;
    wake(stream);
}

void record_stream_slow(struct record_stream *stream, uint64_t delay)
{
    stream->delay = delay;
}

void record_streams_slow(struct record_streams *streams, uint64_t delay)
{
    struct record_stream *stream;
    TAILQ_FOREACH(stream, streams, link)
    record_stream_slow(stream, delay);
}

// ---- sending ----

static struct record *new_record(size_t payload)
{
    char header[24];
    size_t digits = (size_t)snprintf(header, sizeof header, "%zu\n", payload);
    struct record *record = memory_new(sizeof *record + digits + payload);
    memcpy(record->data, header, digits);
    record->length = digits + payload;
    return record;
}

static struct record *encode_json(const ProtobufCMessage *message)
{
    struct buffer text;
    buffer_init(&text, RECORD_STREAM_LIMIT);
    struct record *record = NULL;
    if (json_message_write(message, &text)) {
        record = new_record(text.length);
        memcpy(record->data + record->length - text.length, text.data, text.length);
    }
    buffer_free(&text);
    return record;
}

static struct record *encode(const ProtobufCMessage *message, bool json)
{
    if (json)
        return encode_json(message);
    size_t size = protobuf_c_message_get_packed_size(message);
    struct record *record = new_record(size);
    protobuf_c_message_pack(message, record->data + record->length - size);
    return record;
}

static void push(struct record_stream *stream, struct record *record)
{
    if (stream->delay > 0)
        stream->last_due = loop_now(loop_of(stream)) + stream->delay;
    else if (STAILQ_EMPTY(&stream->records))
        stream->last_due = 0;
    record->due = stream->last_due;
    STAILQ_INSERT_TAIL(&stream->records, record, link);
    stream->queued += record->length;
    stream->waiting++;
    if (!stream->stalled)
        wake(stream);
    if (stream->queued <= RECORD_STREAM_LIMIT)
        return;
    log_warning("a client does not read its events: closing its stream with %zu bytes unsent",
                stream->queued);
    enter(stream, STREAM_CHOKED);
}

void record_stream_send(struct record_stream *stream, const ProtobufCMessage *message)
{
    if (stream->state != STREAM_OPEN)
        return;
    struct record *record = encode(message, stream->json);
    if (record != NULL)
        push(stream, record);
    else
        log_warning("an event is larger than %zu bytes and cannot be sent", RECORD_STREAM_LIMIT);
}

void record_stream_send_bytes(struct record_stream *stream, struct slice bytes)
{
    if (stream->state != STREAM_OPEN)
        return;
    struct record *record = new_record(bytes.length);
    memcpy(record->data + record->length - bytes.length, bytes.data, bytes.length);
    push(stream, record);
}

// ---- the response ----

// Copies as much of the first record as fits.
static size_t read_record(struct record_stream *stream, char *to, size_t space)
{
    struct record *record = STAILQ_FIRST(&stream->records);
    size_t left = record->length - record->sent, length = left < space ? left : space;
    memcpy(to, record->data + record->sent, length);
    record->sent += length;
    if (record->sent == record->length) {
        STAILQ_REMOVE_HEAD(&stream->records, link);
        stream->queued -= record->length;
        stream->waiting--;
        free(record);
    }
    return length;
}

static ssize_t read_stream(void *data, uint64_t position, char *to, size_t space)
{
    struct record_stream *stream = data;
    (void)position;
    if (stream->state == STREAM_LOST || stream->state == STREAM_CHOKED)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (STAILQ_EMPTY(&stream->records) && stream->state == STREAM_ENDING)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (!may_send(stream)) {
        stream->suspended = true;
        MHD_suspend_connection(stream->exchange->connection);
        return 0;
    }
    size_t length = read_record(stream, to, space);
    while (stream->waiting >= BATCH_FROM && length < space && may_send(stream))
        length += read_record(stream, to + length, space - length);
    return (ssize_t)length;
}

enum MHD_Result record_stream_answer(struct record_stream *stream)
{
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, READ_AT_ONCE, read_stream, stream, NULL);
    if (!stream->owner.nameless)
        MHD_add_response_header(response, "Mesos-Stream-Id", stream->id);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            stream->json ? HTTP_JSON : HTTP_PROTOBUF);
    http_exchange_endless(stream->exchange);
    enum MHD_Result result =
        MHD_queue_response(stream->exchange->connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

// ---- life ----

struct record_stream *record_stream_create(struct record_streams *streams,
                                           struct http_exchange *exchange, bool json,
                                           const struct record_stream_owner *owner)
{
    struct record_stream *stream = memory_new(sizeof *stream);
    stream->streams = streams;
    stream->exchange = exchange;
    stream->json = json;
    stream->owner = *owner;
    uuid_random_text(stream->id);
    timer_init(&stream->waking, loop_of(stream), on_waking, stream);
    STAILQ_INIT(&stream->records);
    TAILQ_INSERT_TAIL(streams, stream, link);
    return stream;
}

const char *record_stream_id(const struct record_stream *stream)
{
    return stream->id;
}

void record_stream_destroy(struct record_stream *stream)
{
    if (stream == NULL)
        return;
    stream->suspended = false; // its request is completed
    timer_stop(&stream->waking);
    enter(stream, STREAM_LOST);
    for (struct record *record; (record = STAILQ_FIRST(&stream->records)) != NULL;) {
        STAILQ_REMOVE_HEAD(&stream->records, link);
        free(record);
    }
    TAILQ_REMOVE(stream->streams, stream, link);
    free(stream);
}
