// SPDX-License-Identifier: Apache-2.0
//
// One subscription on the wire: a POST of a SUBSCRIBE and the endless answer to it, cut into
// records. It has a connection of its own, on which nothing else is ever sent, and which is closed
// with it. One object is one attempt: when it was refused or has ended it is of no further use.
//
// Callbacks come from the loop, never from inside a function of this file, and all of these may be
// called in them, event_stream_destroy() included. Records that were received but not handed over
// yet are limited to EVENT_STREAM_QUEUE; beyond it the connection is not read.

#ifndef MESOS_LUA_NET_EVENT_STREAM_H
#define MESOS_LUA_NET_EVENT_STREAM_H

#include "base/error.h"
#include "loop/loop.h"
#include "net/credentials.h"
#include "net/http_reply.h"
#include "net/peer_api.h"
#include "net/tls.h"
#include "net/url.h"

#define EVENT_STREAM_QUEUE ((size_t)4 * 1024 * 1024) // bytes

struct event_stream;

// First `accepted`, records, `ended`; or only `refused`.
struct event_stream_events {
    // 200 with records in protobuf, and with a stream id where the API has them (else it is empty).
    void (*accepted)(void *data, const char *stream_id);
    void (*record)(void *data, struct bytes *record); // the reference is handed over
    // Any other answer; status 0 if there was none, or if a Mesos master would not give it: then
    // the body says what was wrong.
    void (*refused)(void *data, const struct http_reply *reply);
    // End of the response, a lost connection, or malformed framing.
    void (*ended)(void *data, const struct error *reason);
};

struct event_stream_options {
    size_t record_limit;    // bytes of a record; 0: RECORDIO_LIMIT
    double connect_timeout; // seconds; 0: TIMEOUT_CONNECT
    double answer_timeout; // seconds until it is accepted, or refused to the end; 0: TIMEOUT_ANSWER
    const struct tls_options *tls;   // or NULL
    struct credentials *credentials; // or NULL
    const struct peer_api *api;      // or NULL; it outlives the stream
};

// `events` and the credentials must outlive it.
struct event_stream *event_stream_create(struct loop *loop,
                                         const struct event_stream_options *options,
                                         const struct event_stream_events *events, void *data);

// Sends `subscribe` (copied) to `master`. Once.
void event_stream_start(struct event_stream *stream, const struct url *master,
                        struct slice subscribe);

// While it is paused nothing is read, and neither a record nor the end is reported.
void event_stream_pause(struct event_stream *stream, bool paused);

// Closes the connection; nothing is called after it. NULL is fine.
void event_stream_destroy(struct event_stream *stream);

#endif
