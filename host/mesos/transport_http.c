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
#include "net/http_client.h"

#include <stdlib.h>

enum { ADVICE = 768, QUESTION_TIMEOUT = 30 };

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
    struct transport_http *http = data;
    credentials_unref(http->options.credentials);
    free(http);
}

// A call that is answered with 403 is about the subscription, not about who we are. The advice is
// about a framework's credentials.
static struct http_reply advise(struct transport_http *http, const struct http_reply *reply,
                                bool subscribe, char advice[ADVICE])
{
    struct http_reply advised = *reply;
    if (http->options.api != &peer_api_master)
        return advised;
    if (reply->status == 401 || (subscribe && reply->status == 403)) {
        credentials_explain(http->options.credentials, reply->status, reply->challenge, advice,
                            ADVICE);
        advised.advice = advice;
    }
    return advised;
}

// ---- the stream ----

static void drop_stream(struct transport_http *http)
{
    event_stream_destroy(http->stream);
    http->stream = NULL;
}

// Opening the pipeline answers the calls of an earlier stream, and those replies may close, open or
// destroy the transport.
static void on_accepted(void *data, const char *stream_id)
{
    struct transport_http *http = data;
    struct event_stream *stream = http->stream;
    lifetime_hold(&http->lifetime);
    call_pipeline_open(http->pipeline, &http->master, stream_id);
    if (!http->lifetime.ended && http->stream == stream)
        http->transport.events->accepted(http->transport.data);
    lifetime_release(&http->lifetime, free_transport, http);
}

static void on_record(void *data, struct bytes *record)
{
    struct transport_http *http = data;
    http->transport.events->record(http->transport.data, record);
}

static void on_refused(void *data, const struct http_reply *reply)
{
    struct transport_http *http = data;
    char advice[ADVICE];
    const struct http_reply advised = advise(http, reply, true, advice);
    drop_stream(http);
    http->transport.events->refused(http->transport.data, &advised);
}

static void on_ended(void *data, const struct error *reason)
{
    struct transport_http *http = data;
    drop_stream(http);
    call_pipeline_end(http->pipeline);
    http->transport.events->ended(http->transport.data, reason);
}

static const struct event_stream_events stream_events = {
    .accepted = on_accepted, .record = on_record, .refused = on_refused, .ended = on_ended};

static void warn_insecure(struct transport_http *http)
{
    char address[URL_ADDRESS];
    const struct tls_options *tls = http->options.tls;
    if (!http->master.tls || tls == NULL || !tls->insecure || http->warned_insecure)
        return;
    http->warned_insecure = true;
    log_warning("the certificate of %s is not verified, as --insecure or "
                "LIBPROCESS_SSL_VERIFY_SERVER_CERT=false wants it: any server can pretend to be it",
                url_address(&http->master, address));
}

static void authenticate(struct transport_http *http)
{
    if (http->options.credentials == NULL)
        return;
    credentials_refresh(http->options.credentials);
    credentials_warn(http->options.credentials, &http->master);
}

static bool open(struct transport *transport, const char *master, struct slice subscribe,
                 struct error *err)
{
    struct transport_http *http = self(transport);
    const struct event_stream_options options = {
        .record_limit = http->options.record_limit,
        .connect_timeout = http->options.connect_timeout,
        .answer_timeout = http->options.answer_timeout,
        .tls = http->options.tls,
        .credentials = http->options.credentials,
        .api = http->options.api,
    };
    if (http->lifetime.ended)
        return error_set(err, ERROR_INVALID, "the transport is being destroyed");
    if (http->stream != NULL)
        return error_set(err, ERROR_INVALID, "a stream is open already");
    if (!url_parse(&http->master, master, err))
        return false;
    warn_insecure(http);
    authenticate(http);
    http->stream = event_stream_create(http->loop, &options, &stream_events, http);
    event_stream_start(http->stream, &http->master, subscribe);
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

// ---- questions ----

// The scheme of agents is that of their master.
static char *question_url(const struct transport_http *http,
                          const struct transport_question *question)
{
    char master[URL_ADDRESS];
    struct url url = http->master;
    if (question->agent == NULL)
        return memory_format("%s%s", url_address(&url, master), question->path);
    return memory_format("%s://%s%s", url.tls ? "https" : "http", question->agent, question->path);
}

static struct http_client *ask(struct transport *transport, struct curl_loop *curl,
                               const struct transport_question *question,
                               void (*reply)(void *data, const struct http_client_reply *reply),
                               void *data, struct error *err)
{
    static const char type[] = "Content-Type: application/x-protobuf",
                      accepts[] = "Accept: application/x-protobuf";
    struct transport_http *http = self(transport);
    const struct tls_options *tls = http->options.tls;
    const char *headers[4] = {NULL}, *secret = NULL;
    int count = 0;
    if (*http->master.host == '\0') {
        error_set(err, ERROR_REFUSED, "no master is known yet");
        return NULL;
    }
    authenticate(http);
    if (http->options.credentials != NULL)
        secret = credentials_header(http->options.credentials);
    if (secret != NULL)
        headers[count++] = secret;
    if (question->body.data != NULL) {
        headers[count++] = type;
        headers[count++] = accepts;
    }
    char *url = question_url(http, question);
    const struct http_client_request request = {
        .method = question->body.data ? "POST" : "GET",
        .url = url,
        .headers = headers,
        .body = question->body,
        .timeout = QUESTION_TIMEOUT,
        .limit = question->limit,
        .ca_file = tls ? tls->ca_file : NULL,
        .insecure = tls && tls->insecure,
    };
    struct http_client *client = http_client_start(curl, http->loop, &request, reply, data, err);
    free(url);
    return client;
}

// ---- life ----

static void destroy(struct transport *transport)
{
    struct transport_http *http = self(transport);
    if (!lifetime_end(&http->lifetime))
        return;
    drop_stream(http);
    call_pipeline_destroy(http->pipeline);
    lifetime_release(&http->lifetime, free_transport, http);
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
                                         .ask = ask,
                                         .destroy = destroy};

struct transport *transport_http_create(struct loop *loop,
                                        const struct transport_http_options *options)
{
    struct transport_http *http = memory_new(sizeof *http);
    http->transport.ops = &ops;
    http->loop = loop;
    if (options != NULL)
        http->options = *options;
    if (http->options.api == NULL)
        http->options.api = &peer_api_master;
    if (http->options.credentials != NULL)
        credentials_ref(http->options.credentials);
    const struct call_pipeline_options calls = {.bytes = http->options.bytes,
                                                .window = http->options.window,
                                                .connect_timeout = http->options.connect_timeout,
                                                .timeout = http->options.call_timeout,
                                                .tls = http->options.tls,
                                                .credentials = http->options.credentials,
                                                .api = http->options.api};
    http->pipeline = call_pipeline_create(loop, &calls);
    return &http->transport;
}
