// SPDX-License-Identifier: Apache-2.0
//
// The transport by direct call: see transport_direct.h. Two queues wait for the end of the turn:
// calls, for the peer, and deliveries, for the user. Each side has its own idea of the stream: the
// peer's is `state`; the user's is as far as the deliveries that it has taken. What is queued
// belongs to the stream that is open; closing it empties both queues.

#include "mesos/transport_direct.h"

#include "base/lifetime.h"
#include "base/memory.h"
#include "base/queue.h"

#include <stdlib.h>

enum direct_state {
    DIRECT_NONE,
    DIRECT_OPENED,   // the peer has not been told
    DIRECT_ASKED,    // it has to answer SUBSCRIBE
    DIRECT_ACCEPTED, // events follow
};

enum direct_kind { DIRECT_ACCEPTANCE, DIRECT_RECORD, DIRECT_REFUSAL, DIRECT_END };

struct direct_delivery {
    struct queue_item item;
    enum direct_kind kind;
    int status;          // of a refusal
    struct bytes *bytes; // the event; the text of a refusal or of an end
};

struct direct_call {
    struct queue_item item;
    struct bytes *call; // NULL: there was no room for it
    transport_on_reply on_reply;
    void *data;
};

struct transport_direct {
    struct transport transport;
    const struct transport_direct_peer *peer;
    void *data;
    enum direct_state state;
    struct bytes *subscribe; // until the peer is told
    struct queue calls, deliveries;
    bool paused;
    struct deferral turn;
    struct lifetime lifetime;
};

static struct transport_direct *self(struct transport *transport)
{
    return (struct transport_direct *)transport;
}

static bool has_stream(const struct transport_direct *direct)
{
    return direct->state == DIRECT_ASKED || direct->state == DIRECT_ACCEPTED;
}

static void enter(struct transport_direct *direct, enum direct_state state)
{
    direct->state = state;
    if (state == DIRECT_OPENED)
        deferral_queue(&direct->turn);
}

// ---- for the user: what the peer has sent ----

static void free_delivery(struct direct_delivery *delivery)
{
    bytes_unref(delivery->bytes);
    free(delivery);
}

static void push_delivery(struct transport_direct *direct, enum direct_kind kind, int status,
                          struct bytes *bytes)
{
    struct direct_delivery *delivery = memory_new(sizeof *delivery);
    *delivery = (struct direct_delivery){.kind = kind, .status = status, .bytes = bytes};
    delivery->item.weight = queue_weight(sizeof *delivery, bytes);
    queue_push(&direct->deliveries, &delivery->item);
    if (!direct->paused)
        deferral_queue(&direct->turn);
}

static struct bytes *text_bytes(const char *text)
{
    struct slice slice = slice_text(text);
    return bytes_copy(slice.data, slice.length);
}

static void hand_over(struct transport_direct *direct, const struct direct_delivery *delivery)
{
    const struct transport_events *events = direct->transport.events;
    void *data = direct->transport.data;
    const struct http_reply reply = {.status = delivery->status,
                                     .body = delivery->bytes ? slice_of(delivery->bytes)
                                                             : (struct slice){.data = NULL}};
    struct error reason = {0};
    switch (delivery->kind) {
    case DIRECT_ACCEPTANCE:
        events->accepted(data);
        break;
    case DIRECT_RECORD:
        events->record(data, bytes_ref(delivery->bytes));
        break;
    case DIRECT_REFUSAL:
        events->refused(data, &reply);
        break;
    case DIRECT_END:
        error_set(&reason, ERROR_IO, "%.*s", SLICE_ARGS(reply.body));
        events->ended(data, &reason);
        break;
    }
}

// Its user may close, open or destroy in each of these.
static void deliver(struct transport_direct *direct)
{
    while (!direct->paused && !direct->lifetime.ended) {
        struct direct_delivery *delivery = queue_pop(&direct->deliveries);
        if (delivery == NULL)
            return;
        hand_over(direct, delivery);
        free_delivery(delivery);
    }
}

// ---- for the peer: what the user has called ----

static void reply(const struct direct_call *waiting, const struct http_reply *reply)
{
    if (waiting->on_reply != NULL)
        waiting->on_reply(waiting->data, reply);
}

static void free_call(struct direct_call *waiting)
{
    bytes_unref(waiting->call);
    free(waiting);
}

static void drop_call(struct direct_call *waiting, const char *reason)
{
    const struct http_reply dropped = {.status = 0,
                                       .body = slice_text(reason),
                                       .unsent = waiting->call ? slice_of(waiting->call)
                                                               : (struct slice){.data = NULL}};
    reply(waiting, &dropped);
}

static void make_call(struct transport_direct *direct, struct direct_call *waiting)
{
    struct transport_direct_answer answer = {.status = 202};
    direct->peer->call(direct->data, slice_of(waiting->call), &answer);
    const struct http_reply answered = {.status = answer.status,
                                        .body = slice_text(answer.error.text)};
    reply(waiting, &answered);
}

static void make_calls(struct transport_direct *direct)
{
    while (!direct->lifetime.ended) {
        struct direct_call *waiting = queue_pop(&direct->calls);
        if (waiting == NULL)
            return;
        if (waiting->call == NULL)
            drop_call(waiting, "too many calls were waiting to be sent");
        else if (direct->state != DIRECT_ACCEPTED)
            drop_call(waiting, "there is no subscription");
        else
            make_call(direct, waiting);
        free_call(waiting);
    }
}

static void ask(struct transport_direct *direct)
{
    struct bytes *subscribe = direct->subscribe;
    if (direct->state != DIRECT_OPENED)
        return;
    direct->subscribe = NULL;
    enter(direct, DIRECT_ASKED);
    direct->peer->subscribe(direct->data, &direct->transport, slice_of(subscribe));
    bytes_unref(subscribe);
}

static void free_transport(void *data)
{
    free(data);
}

static void on_turn(void *data)
{
    struct transport_direct *direct = data;
    lifetime_hold(&direct->lifetime);
    ask(direct);
    make_calls(direct);
    deliver(direct);
    lifetime_release(&direct->lifetime, free_transport, direct);
}

// ---- the transport ----

static bool open(struct transport *transport, const char *master, struct slice subscribe,
                 struct error *err)
{
    struct transport_direct *direct = self(transport);
    (void)master;
    if (direct->lifetime.ended)
        return error_set(err, ERROR_INVALID, "the transport is being destroyed");
    if (direct->state != DIRECT_NONE || queue_first(&direct->deliveries) != NULL)
        return error_set(err, ERROR_INVALID, "a stream is open already");
    direct->subscribe = bytes_copy(subscribe.data, subscribe.length);
    direct->paused = false;
    enter(direct, DIRECT_OPENED);
    return true;
}

// A reply may open the next stream, or destroy: calls that follow are not in this queue.
static void close(struct transport *transport)
{
    struct transport_direct *direct = self(transport);
    bool told = has_stream(direct);
    struct queue calls;
    queue_init(&calls);
    queue_append(&calls, &direct->calls);
    enter(direct, DIRECT_NONE);
    bytes_unref(direct->subscribe);
    direct->subscribe = NULL;
    for (struct direct_delivery *delivery; (delivery = queue_pop(&direct->deliveries)) != NULL;)
        free_delivery(delivery);
    if (told && direct->peer->closed != NULL)
        direct->peer->closed(direct->data);
    for (struct direct_call *waiting; (waiting = queue_pop(&calls)) != NULL;) {
        drop_call(waiting, "the stream was closed before the call was sent");
        free_call(waiting);
    }
}

static void send(struct transport *transport, struct slice call, transport_on_reply on_reply,
                 void *data)
{
    struct transport_direct *direct = self(transport);
    struct direct_call *waiting = memory_new(sizeof *waiting);
    *waiting = (struct direct_call){.on_reply = on_reply, .data = data};
    if (direct->calls.bytes < TRANSPORT_DIRECT_BYTES &&
        call.length <= TRANSPORT_DIRECT_BYTES - direct->calls.bytes)
        waiting->call = bytes_copy(call.data, call.length);
    waiting->item.weight = queue_weight(sizeof *waiting, waiting->call);
    queue_push(&direct->calls, &waiting->item);
    deferral_queue(&direct->turn);
}

static void set_paused(struct transport *transport, bool paused)
{
    struct transport_direct *direct = self(transport);
    direct->paused = paused;
    if (!paused && queue_first(&direct->deliveries) != NULL)
        deferral_queue(&direct->turn);
}

static size_t waiting(const struct transport *transport)
{
    return ((const struct transport_direct *)transport)->calls.bytes;
}

static void destroy(struct transport *transport)
{
    struct transport_direct *direct = self(transport);
    if (!lifetime_end(&direct->lifetime))
        return;
    close(transport);
    deferral_cancel(&direct->turn);
    if (direct->peer->destroyed != NULL)
        direct->peer->destroyed(direct->data);
    lifetime_release(&direct->lifetime, free_transport, direct);
}

static const struct transport_ops ops = {.open = open,
                                         .close = close,
                                         .send = send,
                                         .pause = set_paused,
                                         .waiting = waiting,
                                         .destroy = destroy};

struct transport *transport_direct_create(struct loop *loop,
                                          const struct transport_direct_peer *peer, void *data)
{
    struct transport_direct *direct = memory_new(sizeof *direct);
    direct->transport.ops = &ops;
    direct->peer = peer;
    direct->data = data;
    queue_init(&direct->calls);
    queue_init(&direct->deliveries);
    deferral_init(&direct->turn, loop, on_turn, direct);
    return &direct->transport;
}

// ---- the peer's side ----

void transport_direct_accept(struct transport *transport)
{
    struct transport_direct *direct = self(transport);
    if (direct->state != DIRECT_ASKED)
        return;
    enter(direct, DIRECT_ACCEPTED);
    push_delivery(direct, DIRECT_ACCEPTANCE, 200, NULL);
}

void transport_direct_refuse(struct transport *transport, int status, const char *text)
{
    struct transport_direct *direct = self(transport);
    if (direct->state != DIRECT_ASKED)
        return;
    enter(direct, DIRECT_NONE);
    push_delivery(direct, DIRECT_REFUSAL, status, text_bytes(text));
}

void transport_direct_record(struct transport *transport, struct bytes *record)
{
    struct transport_direct *direct = self(transport);
    if (direct->state == DIRECT_ACCEPTED && direct->deliveries.bytes < TRANSPORT_DIRECT_BYTES) {
        push_delivery(direct, DIRECT_RECORD, 0, record);
        return;
    }
    bytes_unref(record);
    if (direct->state == DIRECT_ACCEPTED)
        transport_direct_end(transport, "too many events were waiting to be read");
}

void transport_direct_end(struct transport *transport, const char *reason)
{
    struct transport_direct *direct = self(transport);
    if (!has_stream(direct))
        return;
    enum direct_kind kind = direct->state == DIRECT_ACCEPTED ? DIRECT_END : DIRECT_REFUSAL;
    enter(direct, DIRECT_NONE);
    push_delivery(direct, kind, 0, text_bytes(reason));
}

bool transport_direct_asked(const struct transport *transport)
{
    return ((const struct transport_direct *)transport)->state == DIRECT_ASKED;
}

bool transport_direct_accepted(const struct transport *transport)
{
    return ((const struct transport_direct *)transport)->state == DIRECT_ACCEPTED;
}
