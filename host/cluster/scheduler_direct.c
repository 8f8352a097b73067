// SPDX-License-Identifier: Apache-2.0
//
// A master by direct call; see the header. The peer lives as long as its transport, and has the
// master's sink from SUBSCRIBE until either side ends the stream. What is late, in either
// direction, waits in a queue of its own, and belongs to the stream: it goes with it.

#include "cluster/scheduler_direct.h"

#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/queue.h"
#include "master/master_records.h"
#include "net/recordio.h"
#include "wire/message_room.h"

#include <stdlib.h>
#include <string.h>

static const char recovering[] = "Master has not finished recovery";

typedef Mesos__V1__Scheduler__Call Call;
typedef Mesos__V1__Scheduler__Event Event;

// An event or a call that is late.
struct late {
    struct queue_item item;
    uint64_t due; // loop_now()
    struct bytes *bytes;
};

struct scheduler_direct {
    struct message_room room; // of the call that is looked at
    struct master *master;
    struct transport *transport; // of the SUBSCRIBE that was carried out
    char *name;
    unsigned streams; // how many there were
    char *stream_id;  // NULL: there is none
    bool wire;
    bool headless; // no master leads
    bool stalled;
    bool choked; // more is late than it holds, events or calls: it breaks
    uint64_t delay;
    int refused_status;
    unsigned refused_calls;
    struct queue events, calls; // that are late
    struct timer timer;         // when the first of them is due
};

// ---- what is late ----

static void free_late(struct late *late)
{
    bytes_unref(late->bytes);
    free(late);
}

static void forget_late(struct queue *queue)
{
    for (struct late *late; (late = queue_pop(queue)) != NULL;)
        free_late(late);
}

static uint64_t first_due(const struct queue *queue)
{
    const struct late *first = queue_first(queue);
    return first ? first->due : LOOP_NEVER;
}

static void await(struct scheduler_direct *direct)
{
    uint64_t events = direct->stalled ? LOOP_NEVER : first_due(&direct->events);
    uint64_t calls = first_due(&direct->calls);
    uint64_t due = direct->choked ? 0 : events < calls ? events : calls;
    if (due != LOOP_NEVER)
        timer_start_at(&direct->timer, due);
    else
        timer_stop(&direct->timer);
}

// Takes the reference.
static void put_late(struct scheduler_direct *direct, struct queue *queue, struct bytes *bytes)
{
    struct late *late = memory_new(sizeof *late);
    late->bytes = bytes;
    late->due = loop_now(direct->master->loop) + direct->delay;
    late->item.weight = queue_weight(sizeof *late, bytes);
    queue_push(queue, &late->item);
    await(direct);
}

static bool is_late(const struct scheduler_direct *direct, const struct queue *queue)
{
    return direct->delay > 0 || queue_first(queue) != NULL;
}

static struct bytes *take_due(struct scheduler_direct *direct, struct queue *queue)
{
    if (first_due(queue) > loop_now(direct->master->loop))
        return NULL;
    struct late *late = queue_pop(queue);
    struct bytes *bytes = late->bytes;
    free(late);
    return bytes;
}

// ---- the stream ----

static void forget_stream(struct scheduler_direct *direct)
{
    free(direct->stream_id);
    direct->stream_id = NULL;
    direct->stalled = direct->choked = false;
    forget_late(&direct->events);
    forget_late(&direct->calls);
    timer_stop(&direct->timer);
}

static bool has_stream(const struct scheduler_direct *direct, const char *stream_id)
{
    return direct->stream_id != NULL && strcmp(direct->stream_id, stream_id) == 0;
}

// The client sees the end first, and the master hears of it as of any client that has gone.
static void break_stream(struct scheduler_direct *direct, const char *reason)
{
    char *stream_id = direct->stream_id;
    direct->stream_id = NULL;
    forget_stream(direct);
    transport_direct_end(direct->transport, reason);
    master_stream_closed(direct->master, stream_id);
    free(stream_id);
}

// ---- the master's sink ----

// Takes the reference.
static void send_event(struct scheduler_direct *direct, struct bytes *record)
{
    direct->choked = direct->choked || direct->events.bytes >= TRANSPORT_DIRECT_BYTES;
    if (!direct->stalled && !is_late(direct, &direct->events))
        transport_direct_record(direct->transport, record);
    else
        put_late(direct, &direct->events, record);
}

static void on_event(void *data, const Event *event)
{
    struct scheduler_direct *direct = data;
    size_t length = mesos__v1__scheduler__event__get_packed_size(event);
    struct bytes *record = bytes_create(length);
    mesos__v1__scheduler__event__pack(event, record->data);
    send_event(direct, record);
}

static void on_encoded(void *data, struct slice event)
{
    send_event(data, bytes_copy(event.data, event.length));
}

static void frame(const Event *event, struct buffer *text)
{
    size_t length = mesos__v1__scheduler__event__get_packed_size(event);
    buffer_init(text, SIZE_MAX / 2);
    buffer_format(text, "%zu\n", length);
    mesos__v1__scheduler__event__pack(event, buffer_reserve(text, length));
    text->length += length;
}

// What comes out of the framing is what went in, or the event is lost.
static void on_framed(void *data, const Event *event)
{
    struct buffer text;
    struct recordio recordio;
    struct bytes *record = NULL;
    struct error err = {0};
    frame(event, &text);
    recordio_init(&recordio, 0);
    const uint8_t *input = text.data;
    size_t left = text.length;
    if (recordio_decode(&recordio, &input, &left, &record, &err) == RECORDIO_RECORD)
        send_event(data, record);
    else
        log_error("an event was lost in its framing: %s", err.text);
    recordio_free(&recordio);
    buffer_free(&text);
}

// What is late comes first, and at once: nothing waits for a stream that has ended.
static void on_end(void *data)
{
    struct scheduler_direct *direct = data;
    for (struct late *late; (late = queue_pop(&direct->events)) != NULL; free_late(late))
        transport_direct_record(direct->transport, bytes_ref(late->bytes));
    forget_stream(direct);
    transport_direct_end(direct->transport, "the master has ended the stream");
}

// ---- the peer ----

static Call *unpack(struct scheduler_direct *direct, struct slice bytes)
{
    return message_room_unpack(&direct->room, &mesos__v1__scheduler__call__descriptor, bytes);
}

static void forget_call(struct scheduler_direct *direct)
{
    message_room_empty(&direct->room);
}

// NULL, and the error of a 400, unless it is a call that a master takes.
static Call *read_call(struct scheduler_direct *direct, struct slice bytes, struct error *err)
{
    Call *call = unpack(direct, bytes);
    if (call == NULL)
        error_set(err, ERROR_INVALID, "Failed to parse body into Call protobuf");
    else if (master_validate(call, err))
        return call;
    forget_call(direct);
    return NULL;
}

// The same call, from the bytes that it is packed into.
static Call *repack(struct scheduler_direct *direct, const Call *call)
{
    size_t length = mesos__v1__scheduler__call__get_packed_size(call);
    struct bytes *bytes = bytes_create(length);
    mesos__v1__scheduler__call__pack(call, bytes->data);
    Call *again = unpack(direct, slice_of(bytes));
    bytes_unref(bytes);
    return again;
}

// To be forgotten.
static Call *receive(struct scheduler_direct *direct, struct slice bytes, struct error *err)
{
    Call *call = read_call(direct, bytes, err);
    if (call == NULL || !direct->wire)
        return call;
    call = repack(direct, call);
    if (call == NULL)
        error_set(err, ERROR_INVALID, "the call cannot be read after it was packed anew");
    return call;
}

// True if a fault answers in place of the master.
static bool is_refused(struct scheduler_direct *direct, int *status, struct error *err)
{
    if (direct->headless) {
        *status = 503;
        error_set(err, ERROR_REFUSED, recovering);
        return true;
    }
    if (direct->refused_calls == 0)
        return false;
    direct->refused_calls--;
    *status = direct->refused_status;
    error_set(err, ERROR_REFUSED, "A fault of the local cluster: %d", *status);
    log_info("fault: a call is answered with %d and not carried out; %u more of them", *status,
             direct->refused_calls);
    return true;
}

static void subscribe(void *data, struct transport *transport, struct slice bytes)
{
    static const struct master_sink sink = {
        .event = on_event, .encoded = on_encoded, .end = on_end};
    static const struct master_sink wire_sink = {.event = on_framed, .end = on_end};
    struct scheduler_direct *direct = data;
    struct error err = {0};
    int status = 400;
    Call *call = is_refused(direct, &status, &err) ? NULL : receive(direct, bytes, &err);
    if (call == NULL) {
        transport_direct_refuse(transport, status, err.text);
        return;
    }
    direct->transport = transport;
    direct->stream_id = memory_format("%s-%u", direct->name, ++direct->streams);
    transport_direct_accept(transport);
    master_subscribe(direct->master, call, direct->stream_id, direct->wire ? &wire_sink : &sink,
                     direct);
    forget_call(direct);
}

static struct master_answer carry_out(struct scheduler_direct *direct, const Call *call)
{
    const struct master_caller caller = {.stream_id = direct->stream_id};
    return master_call(direct->master, call, &caller);
}

static void make_call(void *data, struct slice bytes, struct transport_direct_answer *answer)
{
    struct scheduler_direct *direct = data;
    if (is_refused(direct, &answer->status, &answer->error))
        return;
    Call *call = receive(direct, bytes, &answer->error);
    if (call == NULL) {
        answer->status = 400;
        return;
    }
    if (is_late(direct, &direct->calls)) {
        direct->choked = direct->choked || direct->calls.bytes >= TRANSPORT_DIRECT_BYTES;
        put_late(direct, &direct->calls, bytes_copy(bytes.data, bytes.length));
    } else {
        struct master_answer answered = carry_out(direct, call);
        answer->status = answered.status;
        answer->error = answered.error;
    }
    forget_call(direct);
}

// It was answered with 202 before: an error can only be logged.
static void make_late_call(struct scheduler_direct *direct, struct slice bytes)
{
    struct error err = {0};
    Call *call = receive(direct, bytes, &err);
    if (call == NULL)
        return;
    struct master_answer answered = carry_out(direct, call);
    if (answered.status >= 400)
        log_warning("a call that came late is refused: %s", answered.error.text);
    forget_call(direct);
}

static void on_timer(void *data)
{
    struct scheduler_direct *direct = data;
    if (direct->choked && direct->stream_id != NULL) {
        break_stream(direct, "too many events or calls were late");
        return;
    }
    for (struct bytes *call; (call = take_due(direct, &direct->calls)) != NULL; bytes_unref(call))
        make_late_call(direct, slice_of(call));
    for (struct bytes *event;
         !direct->stalled && (event = take_due(direct, &direct->events)) != NULL;)
        transport_direct_record(direct->transport, event);
    await(direct);
}

static void on_closed(void *data)
{
    struct scheduler_direct *direct = data;
    if (direct->stream_id != NULL)
        master_stream_closed(direct->master, direct->stream_id);
    forget_stream(direct);
}

static void on_destroyed(void *data)
{
    struct scheduler_direct *direct = data;
    forget_stream(direct);
    message_room_free(&direct->room);
    free(direct->name);
    free(direct);
}

const struct transport_direct_peer scheduler_direct_peer = {
    .subscribe = subscribe, .call = make_call, .closed = on_closed, .destroyed = on_destroyed};

struct scheduler_direct *scheduler_direct_create(struct master *master, const char *name)
{
    struct scheduler_direct *direct = memory_new(sizeof *direct);
    direct->master = master;
    direct->name = memory_string(name);
    queue_init(&direct->events);
    queue_init(&direct->calls);
    timer_init(&direct->timer, master->loop, on_timer, direct);
    return direct;
}

void scheduler_direct_use_wire(struct scheduler_direct *direct)
{
    direct->wire = true;
}

// ---- faults ----

bool scheduler_direct_cut(struct scheduler_direct *direct, const char *stream_id)
{
    if (!has_stream(direct, stream_id))
        return false;
    break_stream(direct, "the connection was broken");
    return true;
}

bool scheduler_direct_stall(struct scheduler_direct *direct, const char *stream_id, bool stalled)
{
    if (!has_stream(direct, stream_id))
        return false;
    direct->stalled = stalled;
    await(direct);
    return true;
}

void scheduler_direct_slow(struct scheduler_direct *direct, uint64_t delay)
{
    direct->delay = delay;
}

void scheduler_direct_refuse(struct scheduler_direct *direct, int status, unsigned calls)
{
    direct->refused_status = status;
    direct->refused_calls = calls;
}

void scheduler_direct_lead(struct scheduler_direct *direct, bool leads)
{
    direct->headless = !leads;
    if (leads || direct->stream_id == NULL)
        return;
    forget_stream(direct);
    transport_direct_end(direct->transport, "the master has died");
}
