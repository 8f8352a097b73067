// SPDX-License-Identifier: Apache-2.0
//
// A gate in front of transports: see call_barrier.h. Calls that wait belong to the stream that is
// open: when it is closed they are answered with status 0 like those that were sent. A call that
// finds the queue full waits without its bytes and is answered so when its turn comes.

#include "mesos/call_barrier.h"

#include "base/memory.h"

#include <stdlib.h>

#define WAITING_BYTES_MOST (256u << 20)

struct waiting {
    struct waiting *next;
    uint64_t number;
    struct bytes *call; // NULL: there was no room for it
    transport_on_reply on_reply;
    void *data;
};

struct call_barrier_transport {
    struct transport transport;
    struct transport *inner;
    struct call_barrier *gate;
    struct call_barrier_transport *next, **link;
    struct waiting *head, **tail;
    size_t bytes;   // of memory, about, of the calls that wait
    bool destroyed; // and freed when `holds` is 0
    unsigned holds;
};

static struct call_barrier_transport *self(struct transport *transport)
{
    return (struct call_barrier_transport *)transport;
}

static void hold(struct call_barrier_transport *this)
{
    this->holds++;
}

static void release(struct call_barrier_transport *this)
{
    if (--this->holds == 0 && this->destroyed)
        free(this);
}

// ---- calls that wait ----

static size_t weight(const struct waiting *waiting)
{
    return sizeof *waiting + (waiting->call ? sizeof *waiting->call + waiting->call->length : 0);
}

static void push(struct call_barrier_transport *this, struct waiting *waiting)
{
    *this->tail = waiting;
    this->tail = &waiting->next;
    this->bytes += weight(waiting);
}

static struct waiting *pop(struct call_barrier_transport *this)
{
    struct waiting *waiting = this->head;
    this->head = waiting->next;
    if (this->head == NULL)
        this->tail = &this->head;
    this->bytes -= weight(waiting);
    return waiting;
}

static void answer(struct waiting *waiting, const char *reason)
{
    const struct transport_reply reply = {.status = 0,
                                          .body = slice_text(reason),
                                          .unsent = waiting->call ? slice_of(waiting->call)
                                                                  : (struct slice){.data = NULL}};
    if (waiting->on_reply != NULL)
        waiting->on_reply(waiting->data, &reply);
}

// Replies may close or destroy.
static void drop_all(struct call_barrier_transport *this)
{
    while (this->head != NULL) {
        struct waiting *waiting = pop(this);
        answer(waiting, "the stream was closed before the call was sent");
        bytes_unref(waiting->call);
        free(waiting);
    }
}

static void send_on(struct call_barrier_transport *this, uint64_t number)
{
    while (this->head != NULL && this->head->number <= number && !this->destroyed) {
        struct waiting *waiting = pop(this);
        if (waiting->call != NULL)
            transport_send(this->inner, slice_of(waiting->call), waiting->on_reply, waiting->data);
        else
            answer(waiting, "too many calls were waiting to be sent");
        bytes_unref(waiting->call);
        free(waiting);
    }
}

static void send(struct transport *transport, struct slice call, transport_on_reply on_reply,
                 void *data)
{
    struct call_barrier_transport *this = self(transport);
    struct waiting *waiting = memory_new(sizeof *waiting);
    *waiting = (struct waiting){.number = ++this->gate->calls, .on_reply = on_reply, .data = data};
    if (this->bytes < WAITING_BYTES_MOST && call.length <= WAITING_BYTES_MOST - this->bytes)
        waiting->call = bytes_copy(call.data, call.length);
    push(this, waiting);
    this->gate->waiting(this->gate->data);
}

// ---- the gate ----

void call_barrier_init(struct call_barrier *gate, void (*waiting)(void *data), void *data)
{
    *gate = (struct call_barrier){.waiting = waiting, .data = data};
}

bool call_barrier_waiting(const struct call_barrier *gate)
{
    for (const struct call_barrier_transport *each = gate->first; each != NULL; each = each->next)
        if (each->head != NULL)
            return true;
    return false;
}

// A reply may destroy this transport or others, so each walk begins anew.
void call_barrier_open_to(struct call_barrier *gate, uint64_t number)
{
    struct call_barrier_transport *each = gate->first;
    while (each != NULL) {
        if (each->head == NULL || each->head->number > number) {
            each = each->next;
            continue;
        }
        hold(each);
        send_on(each, number);
        release(each);
        each = gate->first;
    }
}

void call_barrier_open(struct call_barrier *gate)
{
    call_barrier_open_to(gate, UINT64_MAX);
}

void call_barrier_refuse(struct call_barrier *gate)
{
    struct call_barrier_transport *each = gate->first;
    while (each != NULL) {
        if (each->head == NULL) {
            each = each->next;
            continue;
        }
        hold(each);
        drop_all(each);
        release(each);
        each = gate->first;
    }
}

static void join_gate(struct call_barrier_transport *this, struct call_barrier *gate)
{
    this->gate = gate;
    this->next = gate->first;
    this->link = &gate->first;
    if (this->next != NULL)
        this->next->link = &this->next;
    gate->first = this;
}

static void leave_gate(struct call_barrier_transport *this)
{
    *this->link = this->next;
    if (this->next != NULL)
        this->next->link = this->link;
}

// ---- the stream: passed through ----

static void on_accepted(void *data)
{
    struct call_barrier_transport *this = data;
    this->transport.events->accepted(this->transport.data);
}

static void on_record(void *data, struct bytes *record)
{
    struct call_barrier_transport *this = data;
    this->transport.events->record(this->transport.data, record);
}

static void on_refused(void *data, const struct transport_reply *reply)
{
    struct call_barrier_transport *this = data;
    this->transport.events->refused(this->transport.data, reply);
}

static void on_ended(void *data, const struct error *reason)
{
    struct call_barrier_transport *this = data;
    this->transport.events->ended(this->transport.data, reason);
}

static const struct transport_events events = {
    .accepted = on_accepted, .record = on_record, .refused = on_refused, .ended = on_ended};

static bool open(struct transport *transport, const char *master, struct slice subscribe,
                 struct error *err)
{
    struct call_barrier_transport *this = self(transport);
    if (this->destroyed)
        return error_set(err, ERROR_INVALID, "the transport is being destroyed");
    if (this->gate->admits != NULL && !this->gate->admits(this->gate->data, err))
        return false;
    return transport_open(this->inner, master, subscribe, err);
}

static void set_paused(struct transport *transport, bool paused)
{
    transport_pause(self(transport)->inner, paused);
}

static size_t count_waiting(const struct transport *transport)
{
    const struct call_barrier_transport *this = (const struct call_barrier_transport *)transport;
    return this->bytes + transport_waiting(this->inner);
}

static const char *principal(struct transport *transport)
{
    return transport_principal(self(transport)->inner);
}

static void close(struct transport *transport)
{
    struct call_barrier_transport *this = self(transport);
    hold(this);
    transport_close(this->inner);
    drop_all(this);
    release(this);
}

// ---- life ----

static void destroy(struct transport *transport)
{
    struct call_barrier_transport *this = self(transport);
    if (this->destroyed)
        return;
    hold(this);
    this->destroyed = true;
    transport_close(this->inner);
    drop_all(this);
    leave_gate(this);
    transport_destroy(this->inner);
    release(this);
}

static const struct transport_ops ops = {.open = open,
                                         .close = close,
                                         .send = send,
                                         .pause = set_paused,
                                         .waiting = count_waiting,
                                         .principal = principal,
                                         .destroy = destroy};

struct transport *call_barrier_transport_create(struct call_barrier *gate, struct transport *inner)
{
    struct call_barrier_transport *this = memory_new(sizeof *this);
    this->transport.ops = &ops;
    this->inner = inner;
    this->tail = &this->head;
    inner->events = &events;
    inner->data = this;
    join_gate(this, gate);
    return &this->transport;
}
