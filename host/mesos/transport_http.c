// SPDX-License-Identifier: Apache-2.0
//
// The HTTP transport: see transport_http.h. It only joins an event stream, made anew for each
// open(), and a call pipeline that lives as long as it does.

#include "mesos/transport_http.h"

#include "base/lifetime.h"
#include "base/log.h"
#include "base/memory.h"
#include "net/call_pipeline.h"
#include "net/event_stream.h"

#include <stdlib.h>

enum { ADVICE = 768 };

struct transport_http {
    struct transport transport;
    struct loop *loop;
    struct transport_http_options options;
    struct event_stream *stream; // NULL when there is none
    struct call_pipeline *pipeline;
    struct url master;
    bool warned_insecure;
    struct lifetime lifetime;
};

// Between send() and its reply.
struct pending {
    struct transport_http *transport;
    transport_on_reply on_reply;
    void *data;
};

static struct transport_http *self(struct transport *transport)
{
    return (struct transport_http *)transport;
}

static void free_transport(void *data)
{
    struct transport_http *this = data;
    credentials_unref(this->options.credentials);
    free(this);
}

// A call that is answered with 403 is about the subscription, not about who we are.
static struct http_reply advise(struct transport_http *this, const struct http_reply *reply,
                                bool subscribe, char advice[ADVICE])
{
    struct http_reply advised = *reply;
    if (reply->status == 401 || (subscribe && reply->status == 403)) {
        credentials_explain(this->options.credentials, reply->status, reply->challenge, advice,
                            ADVICE);
        advised.advice = advice;
    }
    return advised;
}

// ---- the stream ----

static void drop_stream(struct transport_http *this)
{
    event_stream_destroy(this->stream);
    this->stream = NULL;
}

// Opening the pipeline answers what was left of an earlier stream, and those replies may close or
// open or destroy.
static void on_accepted(void *data, const char *stream_id)
{
    struct transport_http *this = data;
    struct event_stream *stream = this->stream;
    lifetime_hold(&this->lifetime);
    call_pipeline_open(this->pipeline, &this->master, stream_id);
    if (!this->lifetime.ended && this->stream == stream)
        this->transport.events->accepted(this->transport.data);
    lifetime_release(&this->lifetime, free_transport, this);
}

static void on_record(void *data, struct bytes *record)
{
    struct transport_http *this = data;
    this->transport.events->record(this->transport.data, record);
}

static void on_refused(void *data, const struct http_reply *reply)
{
    struct transport_http *this = data;
    char advice[ADVICE];
    const struct http_reply advised = advise(this, reply, true, advice);
    drop_stream(this);
    this->transport.events->refused(this->transport.data, &advised);
}

static void on_ended(void *data, const struct error *reason)
{
    struct transport_http *this = data;
    drop_stream(this);
    call_pipeline_end(this->pipeline);
    this->transport.events->ended(this->transport.data, reason);
}

static const struct event_stream_events stream_events = {
    .accepted = on_accepted, .record = on_record, .refused = on_refused, .ended = on_ended};

static void warn_insecure(struct transport_http *this)
{
    char address[URL_ADDRESS];
    const struct tls_options *tls = this->options.tls;
    if (!this->master.tls || tls == NULL || !tls->insecure || this->warned_insecure)
        return;
    this->warned_insecure = true;
    log_warning("the certificate of %s is not verified, as --insecure or "
                "LIBPROCESS_SSL_VERIFY_SERVER_CERT=false wants it: it may be anybody",
                url_address(&this->master, address));
}

static void authenticate(struct transport_http *this)
{
    if (this->options.credentials == NULL)
        return;
    credentials_refresh(this->options.credentials);
    credentials_warn(this->options.credentials, &this->master);
}

static bool open(struct transport *transport, const char *master, struct slice subscribe,
                 struct error *err)
{
    struct transport_http *this = self(transport);
    const struct event_stream_options options = {
        .record_limit = this->options.record_limit,
        .connect_timeout = this->options.connect_timeout,
        .answer_timeout = this->options.answer_timeout,
        .tls = this->options.tls,
        .credentials = this->options.credentials,
    };
    if (this->lifetime.ended)
        return error_set(err, ERROR_INVALID, "the transport is being destroyed");
    if (this->stream != NULL)
        return error_set(err, ERROR_INVALID, "a stream is open already");
    if (!url_parse(&this->master, master, err))
        return false;
    warn_insecure(this);
    authenticate(this);
    this->stream = event_stream_create(this->loop, &options, &stream_events, this);
    event_stream_start(this->stream, &this->master, subscribe);
    return true;
}

static void set_paused(struct transport *transport, bool paused)
{
    if (self(transport)->stream != NULL)
        event_stream_pause(self(transport)->stream, paused);
}

static void close(struct transport *transport)
{
    drop_stream(self(transport));
    call_pipeline_close(self(transport)->pipeline);
}

// ---- calls ----

static void on_reply(void *data, const struct http_reply *reply)
{
    const struct pending pending = *(struct pending *)data;
    char advice[ADVICE];
    const struct http_reply advised = advise(pending.transport, reply, false, advice);
    free(data);
    pending.on_reply(pending.data, &advised);
}

static void send(struct transport *transport, struct slice call, transport_on_reply reply,
                 void *data)
{
    struct call_pipeline *pipeline = self(transport)->pipeline;
    if (reply == NULL) {
        call_pipeline_send(pipeline, call, NULL, NULL);
        return;
    }
    struct pending *pending = memory_new(sizeof *pending);
    *pending = (struct pending){.transport = self(transport), .on_reply = reply, .data = data};
    call_pipeline_send(pipeline, call, on_reply, pending);
}

static size_t waiting(const struct transport *transport)
{
    return call_pipeline_waiting(((const struct transport_http *)transport)->pipeline);
}

// ---- life ----

static void destroy(struct transport *transport)
{
    struct transport_http *this = self(transport);
    if (!lifetime_end(&this->lifetime))
        return;
    drop_stream(this);
    call_pipeline_destroy(this->pipeline);
    lifetime_release(&this->lifetime, free_transport, this);
}

static const char *principal(struct transport *transport)
{
    const struct credentials *credentials = self(transport)->options.credentials;
    return credentials ? credentials_principal(credentials) : NULL;
}

static const struct transport_ops ops = {.open = open,
                                         .close = close,
                                         .send = send,
                                         .pause = set_paused,
                                         .waiting = waiting,
                                         .principal = principal,
                                         .destroy = destroy};

struct transport *transport_http_create(struct loop *loop,
                                        const struct transport_http_options *options)
{
    struct transport_http *this = memory_new(sizeof *this);
    this->transport.ops = &ops;
    this->loop = loop;
    if (options != NULL)
        this->options = *options;
    if (this->options.credentials != NULL)
        credentials_ref(this->options.credentials);
    const struct call_pipeline_options calls = {.bytes = this->options.bytes,
                                                .window = this->options.window,
                                                .connect_timeout = this->options.connect_timeout,
                                                .timeout = this->options.call_timeout,
                                                .tls = this->options.tls,
                                                .credentials = this->options.credentials};
    this->pipeline = call_pipeline_create(loop, &calls);
    return &this->transport;
}
