// SPDX-License-Identifier: Apache-2.0
//
// An answer that does not end: a stream of messages, each a record of RecordIO, in protobuf or
// JSON. A stream belongs to the request that it answers and is destroyed when that is completed.
// Its owner may send into it until it has ended the stream, or was told that it is lost.

#ifndef MESOS_LUA_CLUSTER_RECORD_STREAM_H
#define MESOS_LUA_CLUSTER_RECORD_STREAM_H

#include "base/uuid.h"
#include "net/http_server.h"

#include <protobuf-c/protobuf-c.h>
#include <sys/queue.h>

// The most bytes that are queued for a client that does not read; with more its stream is closed.
#define RECORD_STREAM_LIMIT ((size_t)64 << 20)

struct record_stream;

// All streams of a server.
TAILQ_HEAD(record_streams, record_stream);

struct record_stream_owner {
    // The client has left, or did not read. Called once, and not after record_stream_end().
    void (*lost)(void *data, const char *id);
    void *data;
    bool nameless; // the answer does not tell the id
};

// Has a fresh id; is in the list until it is destroyed.
struct record_stream *record_stream_create(struct record_streams *streams,
                                           struct http_exchange *exchange, bool json,
                                           const struct record_stream_owner *owner);

const char *record_stream_id(const struct record_stream *stream);

// Queues the answer, with the id as `Mesos-Stream-Id`. What was sent before is not lost.
enum MHD_Result record_stream_answer(struct record_stream *stream);

// Sends a message. One that is too large is dropped with a line in the log.
void record_stream_send(struct record_stream *stream, const ProtobufCMessage *message);

// The same with a message that is encoded already, in the form of the stream.
void record_stream_send_bytes(struct record_stream *stream, struct slice bytes);

void record_stream_end(struct record_stream *stream); // after what was sent

// Its connection is closed at once, without a last chunk, as when the process of a master dies.
void record_stream_cut(struct record_stream *stream);

// What is sent waits while it is stalled; and from now on, each message for so many nanoseconds.
void record_stream_stall(struct record_stream *stream, bool stalled);
void record_stream_slow(struct record_stream *stream, uint64_t delay);

// The client of the request has left.
void record_stream_leave(struct record_stream *stream);

void record_stream_destroy(struct record_stream *stream); // reports the loss; NULL is fine

// True if the owner of a stream with that id may send into it. The id may be NULL.
bool record_streams_has(const struct record_streams *streams, const char *id);

// The stream of that id, if its owner may send into it; or NULL.
struct record_stream *record_streams_find(const struct record_streams *streams, const char *id);

void record_streams_slow(struct record_streams *streams, uint64_t delay);

// Cuts all, and no owner is told.
void record_streams_cut(struct record_streams *streams);

// The server closes: all are lost, and no owner is told any more.
void record_streams_abandon(struct record_streams *streams);

#endif
