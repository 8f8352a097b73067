// SPDX-License-Identifier: Apache-2.0
//
// A barrier in front of transports: see call_barrier.h. Calls that wait belong to the stream that
// is open: when it is closed they are answered with status 0 like those that were sent. A call that
// finds the queue full waits without its bytes and is answered so when its turn comes.

#include "mesos/call_barrier.h"

#include "base/lifetime.h"
#include "base/memory.h"
#include "base/queue.h"

#include <stdlib.h>

#define WAITING_BYTES_MOST (256u << 20)

struct waiting {
    struct queue_item item;
    uint64_t number;
    struct bytes *call; // NULL: there was no room for it
    transport_on_reply on_reply;
    void *data;
};

struct call_barrier_transport {
    struct transport transport;
    struct transport *inner;
    struct call_barrier *barrier;
    LIST_ENTRY(call_barrier_transport) link;
    struct queue waiting; // calls
    struct lifetime lifetime;
};

static struct call_barrier_transport *self(struct transport *transport)
{
    return (struct call_barrier_transport *)transport;
}

// ---- calls that wait ----

static void answer(struct waiting *waiting, const char *reason)
{
    const struct http_reply reply = {.status = 0,
                                     .body = slice_text(reason),
                                     .unsent = waiting->call ? slice_of(waiting->call)
                                                             : (struct slice){.data = NULL}};
    if (waiting->on_reply != NULL)
        waiting->on_reply(waiting->data, &reply);
}

// Replies may close or destroy.
static void drop_all(struct call_barrier_transport *outer)
{
    for (struct waiting *waiting; (waiting = queue_pop(&outer->waiting)) != NULL;) {
        answer(waiting, "the stream was closed before the call was sent");
        bytes_unref(waiting->call);
        free(waiting);
    }
}

static bool may_go(const struct call_barrier_transport *outer, uint64_t number)
{
    const struct waiting *first = queue_first(&outer->waiting);
    return first != NULL && first->number <= number;
}

static void send_on(struct call_barrier_transport *outer, uint64_t number)
{
    while (may_go(outer, number) && !outer->lifetime.ended) {
        struct waiting *waiting = queue_pop(&outer->waiting);
        if (waiting->call != NULL)
            transport_send(outer->inner, slice_of(waiting->call), waiting->on_reply, waiting->data);
        else
            answer(waiting, "too many calls were waiting to be sent");
        bytes_unref(waiting->call);
        free(waiting);
    }
}

static void send(struct transport *transport, struct slice call, transport_on_reply on_reply,
                 void *data)
{
    struct call_barrier_transport *outer = self(transport);
    struct waiting *waiting = memory_new(sizeof *waiting);
    *waiting =
        (struct waiting){.number = ++outer->barrier->calls, .on_reply = on_reply, .data = data};
    if (outer->waiting.bytes < WAITING_BYTES_MOST &&
        call.length <= WAITING_BYTES_MOST - outer->waiting.bytes)
        waiting->call = bytes_copy(call.data, call.length);
    waiting->item.weight = queue_weight(sizeof *waiting, waiting->call);
    queue_push(&outer->waiting, &waiting->item);
    outer->barrier->waiting(outer->barrier->data);
}

// ---- the barrier ----

void call_barrier_init(struct call_barrier *barrier, void (*waiting)(void *data), void *data)
{
    *barrier = (struct call_barrier){.waiting = waiting, .data = data};
}

bool call_barrier_waiting(const struct call_barrier *barrier)
{
    const struct call_barrier_transport *each;
    LIST_FOREACH(each, &barrier->transports, link)
    {
        if (queue_first(&each->waiting) != NULL)
            return true;
    }
    return false;
}

// A reply may destroy this transport or others, so each walk begins anew.
void call_barrier_open_to(struct call_barrier *barrier, uint64_t number)
{
    struct call_barrier_transport *each = LIST_FIRST(&barrier->transports);
    while (each != NULL) {
        if (!may_go(each, number)) {
            each = LIST_NEXT(each, link);
            continue;
        }
        lifetime_hold(&each->lifetime);
        send_on(each, number);
        lifetime_release(&each->lifetime, free, each);
        each = LIST_FIRST(&barrier->transports);
    }
}

void call_barrier_open(struct call_barrier *barrier)
{
    call_barrier_open_to(barrier, UINT64_MAX);
}

void call_barrier_refuse(struct call_barrier *barrier)
{
    struct call_barrier_transport *each = LIST_FIRST(&barrier->transports);
    while (each != NULL) {
        if (queue_first(&each->waiting) == NULL) {
            each = LIST_NEXT(each, link);
            continue;
        }
        lifetime_hold(&each->lifetime);
        drop_all(each);
        lifetime_release(&each->lifetime, free, each);
        each = LIST_FIRST(&barrier->transports);
    }
}

// ---- the stream: passed through ----

static void on_accepted(void *data)
{
    struct call_barrier_transport *outer = data;
    outer->transport.events->accepted(outer->transport.data);
}

static void on_record(void *data, struct bytes *record)
{
    struct call_barrier_transport *outer = data;
    outer->transport.events->record(outer->transport.data, record);
}

static void on_refused(void *data, const struct http_reply *reply)
{
    struct call_barrier_transport *outer = data;
    outer->transport.events->refused(outer->transport.data, reply);
}

static void on_ended(void *data, const struct error *reason)
{
    struct call_barrier_transport *outer = data;
    outer->transport.events->ended(outer->transport.data, reason);
}

static const struct transport_events events = {
    .accepted = on_accepted, .record = on_record, .refused = on_refused, .ended = on_ended};

static bool open(struct transport *transport, const char *master, struct slice subscribe,
                 struct error *err)
{
    struct call_barrier_transport *outer = self(transport);
    if (outer->lifetime.ended)
        return error_set(err, ERROR_INVALID, "the transport is being destroyed");
    if (outer->barrier->admits != NULL && !outer->barrier->admits(outer->barrier->data, err))
        return false;
    return transport_open(outer->inner, master, subscribe, err);
}

static void set_paused(struct transport *transport, bool paused)
{
    transport_pause(self(transport)->inner, paused);
}

static size_t count_waiting(const struct transport *transport)
{
    const struct call_barrier_transport *outer = (const struct call_barrier_transport *)transport;
    return outer->waiting.bytes + transport_waiting(outer->inner);
}

static const char *principal(struct transport *transport)
{
    return transport_principal(self(transport)->inner);
}

static struct http_client *ask(struct transport *transport, struct curl_loop *curl,
                               const struct transport_question *question,
                               void (*on_answer)(void *data, const struct http_client_reply *reply),
                               void *data, struct error *err)
{
    return transport_ask(self(transport)->inner, curl, question, on_answer, data, err);
}

static void close(struct transport *transport)
{
    struct call_barrier_transport *outer = self(transport);
    lifetime_hold(&outer->lifetime);
    transport_close(outer->inner);
    drop_all(outer);
    lifetime_release(&outer->lifetime, free, outer);
}

// ---- life ----

static void destroy(struct transport *transport)
{
    struct call_barrier_transport *outer = self(transport);
    if (!lifetime_end(&outer->lifetime))
        return;
    transport_close(outer->inner);
    drop_all(outer);
    LIST_REMOVE(outer, link);
    transport_destroy(outer->inner);
    lifetime_release(&outer->lifetime, free, outer);
}

static const struct transport_ops ops = {.open = open,
                                         .close = close,
                                         .send = send,
                                         .pause = set_paused,
                                         .waiting = count_waiting,
                                         .principal = principal,
                                         .ask = ask,
                                         .destroy = destroy};

struct transport *call_barrier_transport_create(struct call_barrier *barrier,
                                                struct transport *inner)
{
    struct call_barrier_transport *outer = memory_new(sizeof *outer);
    outer->transport.ops = &ops;
    outer->inner = inner;
    outer->barrier = barrier;
    queue_init(&outer->waiting);
    inner->events = &events;
    inner->data = outer;
    LIST_INSERT_HEAD(&barrier->transports, outer, link);
    return &outer->transport;
}
