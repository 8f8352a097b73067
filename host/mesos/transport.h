// SPDX-License-Identifier: Apache-2.0
//
// The second seam: how a framework's calls reach a master and its events come back. Implemented
// over HTTP (transport_http.h) and by direct call (transport_direct.h). A transport holds at most
// one stream (the subscription) and an ordered sequence of calls beside it.
//
// The contract. open() starts a stream with a SUBSCRIBE; exactly one of `refused` and `ended` is
// its last event, and nothing is called before open() has returned. close() ends the stream and
// drops the calls: after it no stream event comes, and each call that had no answer gets its reply
// (status 0) before close() returns. send() keeps the order of the calls and never blocks. Any of
// these functions may be called inside any of the callbacks; destroy() closes.

#ifndef MESOS_LUA_MESOS_TRANSPORT_H
#define MESOS_LUA_MESOS_TRANSPORT_H

#include "base/bytes.h"
#include "base/error.h"
#include "net/http_reply.h"

struct curl_loop;
struct http_client;
struct http_client_reply;
struct transport;

// A question beside the calls, for the operator API of the master or of one of its agents. It is
// authenticated as the calls are.
struct transport_question {
    const char *agent; // "ADDR:PORT", as the master tells it; NULL: the master itself
    const char *path;  // "/api/v1"
    struct slice body; // protobuf, of a POST; data NULL: a GET
    size_t limit;      // bytes of the answer
};

struct transport_events {
    void (*accepted)(void *data);                     // 200; records follow
    void (*record)(void *data, struct bytes *record); // one event; the reference is handed over
    void (*refused)(void *data, const struct http_reply *reply); // SUBSCRIBE was not accepted
    void (*ended)(void *data, const struct error *reason);       // the accepted stream is over
};

typedef void (*transport_on_reply)(void *data, const struct http_reply *reply);

struct transport_ops {
    bool (*open)(struct transport *transport, const char *master, struct slice subscribe,
                 struct error *err);
    void (*close)(struct transport *transport);
    void (*send)(struct transport *transport, struct slice call, transport_on_reply on_reply,
                 void *data);
    void (*pause)(struct transport *transport, bool paused); // stop reading the stream for now
    size_t (*waiting)(const struct transport *transport);    // may be left out: 0
    const char *(*principal)(struct transport *transport);   // may be left out: NULL
    // May be left out, where there is no HTTP.
    struct http_client *(*ask)(struct transport *transport, struct curl_loop *curl,
                               const struct transport_question *question,
                               void (*on_reply)(void *data, const struct http_client_reply *reply),
                               void *data, struct error *err);
    void (*destroy)(struct transport *transport);
};

struct transport {
    const struct transport_ops *ops;
    const struct transport_events *events; // set with `data` by the user of the transport
    void *data;
};

// `master` is an address as a detector gives it. The call is copied.
static inline bool transport_open(struct transport *transport, const char *master,
                                  struct slice subscribe, struct error *err)
{
    return transport->ops->open(transport, master, subscribe, err);
}

static inline void transport_close(struct transport *transport)
{
    transport->ops->close(transport);
}

// `call` is copied. `on_reply` is called once, later, or never if it is NULL.
static inline void transport_send(struct transport *transport, struct slice call,
                                  transport_on_reply on_reply, void *data)
{
    transport->ops->send(transport, call, on_reply, data);
}

static inline void transport_pause(struct transport *transport, bool paused)
{
    transport->ops->pause(transport, paused);
}

// The memory of the calls that are not sent or not answered yet; it shrinks with each reply. Calls
// are dropped only beyond a large limit, so a user that makes calls in response to the stream has
// to stop reading it while this grows.
static inline size_t transport_waiting(const struct transport *transport)
{
    return transport->ops->waiting ? transport->ops->waiting(transport) : 0;
}

// Who the calls are authenticated as, or NULL.
static inline const char *transport_principal(struct transport *transport)
{
    return transport->ops->principal ? transport->ops->principal(transport) : NULL;
}

// The request, on connections of `curl`; NULL, and the error, if there can be none. What it needs
// of the transport is copied.
static inline struct http_client *
transport_ask(struct transport *transport, struct curl_loop *curl,
              const struct transport_question *question,
              void (*on_reply)(void *data, const struct http_client_reply *reply), void *data,
              struct error *err)
{
    if (transport->ops->ask != NULL)
        return transport->ops->ask(transport, curl, question, on_reply, data, err);
    error_set(err, ERROR_REFUSED, "this framework has no HTTP to a master");
    return NULL;
}

static inline void transport_destroy(struct transport *transport)
{
    if (transport != NULL)
        transport->ops->destroy(transport);
}

#endif
