// SPDX-License-Identifier: Apache-2.0
//
// The scheduler driver: see driver.h. Two queues meet here. Events wait in `queue` until the
// callback before them is over; calls go to the transport at once, but for declines, which are
// gathered in `declines`. What the loop brings in enters through a function that brackets itself
// with enter() and leave(): a driver that was destroyed meanwhile is freed by the last leave().
//
// The end has one road: stop and abort only set the status; settle() sees to it that what was sent
// before is answered (or given up after a while), closes the stream, and tells the listener.

#include "mesos/driver.h"

#include "base/log.h"
#include "base/memory.h"
#include "mesos/event_queue.h"
#include "mesos/events.h"
#include "mesos/framework.h"
#include "mesos/updates.h"
#include "mesos/wire.h"

#include <stdlib.h>
#include <string.h>

#define QUEUE_BYTES_MOST (64u << 20) // waiting events beyond this pause the stream
#define CALL_BYTES_MOST (256u << 20)

static const double settle_deadline = 5; // seconds for answers to what was sent before the end

struct answer_slot {
    struct driver *driver;
    enum call_type type;
};

struct driver {
    struct loop *loop;
    const struct driver_listener *listener;
    void *data;
    struct detector *detector;
    struct transport *transport;
    struct subscription subscription;
    double backoff_max; // as it was given

    enum driver_status status;
    bool explicit_acknowledgements;
    bool connected;  // as the callbacks told it
    bool registered; // `registered` was called once
    bool reregister; // a removed framework goes on as a new one
    bool torn_down;
    bool outdated;  // the master has not seen the latest framework, roles or constraints
    bool settled;   // `finished` was called
    bool doomed;    // destroyed inside one of our functions
    unsigned depth; // of enter() and leave()

    struct framework framework;
    struct framework fallback; // what the master knows, while it has not answered to a revision
    bool has_fallback;
    size_t updates;       // UPDATE_FRAMEWORK calls without an answer
    struct bytes *master; // MasterInfo, or NULL

    struct event_queue queue;
    bool paused;
    bool delivering; // a callback has not come to its end
    struct driver_event current;
    char *fatal; // the error that aborted the driver, until its callback

    bool held;      // events wait for driver_release()
    bool repeating; // the event of the current callback is to come again
    bool has_again; // `again` is an event that comes again; we own its block
    bool greeting;  // CALLBACK_RELOADED is to come
    bool offers_again, inverse_offers_again; // the outstanding ones are to come again
    struct driver_event again;

    struct offers *offers, *inverse_offers;
    struct updates_kept operation_updates; // delivered, for explicit acknowledgement
    const struct offer **batch;            // the offers of the current event
    size_t batch_capacity;

    struct buffer call, message, declines, decline_filters;
    size_t in_flight;  // calls without an answer
    size_t unanswered; // calls that will have none, and were not told of yet
    struct answer_slot slots[CALL_TYPES];
    struct driver_counters counters;
    struct deferral turn;
    struct timer deadline;
};

static void settle(struct driver *this);
static void pump(struct driver *this);

const char *driver_status_name(enum driver_status status)
{
    static const char *const names[] = {"", "DRIVER_NOT_STARTED", "DRIVER_RUNNING",
                                        "DRIVER_ABORTED", "DRIVER_STOPPED"};
    return names[status];
}

const char *driver_callback_name(enum driver_callback callback)
{
    static const char *const names[CALLBACKS] = {
        [CALLBACK_REGISTERED] = "registered",
        [CALLBACK_REREGISTERED] = "reregistered",
        [CALLBACK_DISCONNECTED] = "disconnected",
        [CALLBACK_RESOURCE_OFFERS] = "resourceOffers",
        [CALLBACK_OFFER_RESCINDED] = "offerRescinded",
        [CALLBACK_STATUS_UPDATE] = "statusUpdate",
        [CALLBACK_FRAMEWORK_MESSAGE] = "frameworkMessage",
        [CALLBACK_SLAVE_LOST] = "slaveLost",
        [CALLBACK_EXECUTOR_LOST] = "executorLost",
        [CALLBACK_ERROR] = "error",
        [CALLBACK_INVERSE_OFFERS] = "inverseOffers",
        [CALLBACK_INVERSE_OFFER_RESCINDED] = "inverseOfferRescinded",
        [CALLBACK_OPERATION_STATUS_UPDATE] = "operationStatusUpdate",
        [CALLBACK_RELOADED] = "reloaded",
        [CALLBACK_FRAMEWORK_REMOVED] = "frameworkRemoved",
    };
    return names[callback];
}

// ---- life within callbacks ----

static void release(struct driver *this);

static void enter(struct driver *this)
{
    this->depth++;
}

static void leave(struct driver *this)
{
    if (--this->depth == 0 && this->doomed)
        release(this);
}

static bool running(const struct driver *this)
{
    return this->status == DRIVER_RUNNING && !this->doomed;
}

// ---- calls ----

static void on_answer(void *data, const struct transport_reply *reply);

static void send_call(struct driver *this, enum call_type type, struct slice message)
{
    if (!call_build(&this->call, type, framework_id(&this->framework), message)) {
        log_error("%s is too large to be sent (%zu bytes)", call_name(type), message.length);
        this->counters.dropped[type]++;
        return;
    }
    this->counters.calls[type]++;
    this->in_flight++;
    this->updates += type == CALL_UPDATE_FRAMEWORK;
    transport_send(this->transport, buffer_slice(&this->call), on_answer, &this->slots[type]);
}

// All declines with one filter value that are waiting go out as one call.
static void flush_declines(struct driver *this)
{
    if (this->declines.length == 0)
        return;
    buffer_append_slice(&this->declines, buffer_slice(&this->decline_filters));
    send_call(this, CALL_DECLINE, buffer_slice(&this->declines));
    buffer_clear(&this->declines);
    buffer_clear(&this->decline_filters);
}

static void drop(struct driver *this, enum call_type type)
{
    bool repeated = type == CALL_ACKNOWLEDGE || type == CALL_ACKNOWLEDGE_OPERATION_STATUS;
    this->counters.dropped[type]++;
    log_write(repeated ? LOG_DEBUG : LOG_WARNING, "%s dropped: not connected to a master",
              call_name(type));
}

static void send_or_drop(struct driver *this, enum call_type type, struct slice message)
{
    if (!this->connected) {
        drop(this, type);
        return;
    }
    flush_declines(this);
    send_call(this, type, message);
}

static void send_update_framework(struct driver *this)
{
    framework_write(&this->framework, &this->message);
    send_or_drop(this, CALL_UPDATE_FRAMEWORK, buffer_slice(&this->message));
    this->outdated = false;
}

// A master that does not know our stream any more says so in the answer to a call: the stream may
// look alive for long after that.
static bool says(const struct transport_reply *reply, const char *words)
{
    const struct slice *body = &reply->body;
    return body->length > 0 && memmem(body->data, body->length, words, strlen(words)) != NULL;
}

static bool means_lost(enum call_type type, const struct transport_reply *reply)
{
    if (reply->status == 403)
        return type != CALL_UPDATE_FRAMEWORK || says(reply, "not subscribed");
    return reply->status == 400 && says(reply, "stream ID");
}

static void refused(struct driver *this, enum call_type type, const struct transport_reply *reply)
{
    struct error err = {0};
    this->counters.refused[type]++;
    if (reply->advice != NULL)
        log_warning("the master refused %s: %s", call_name(type), reply->advice);
    else
        log_warning("the master refused %s (HTTP status %d): %.*s", call_name(type), reply->status,
                    SLICE_ARGS(reply->body));
    if (!running(this) || !means_lost(type, reply))
        return;
    error_set(&err, ERROR_REFUSED, "the master does not know this subscription any more: %.*s",
              SLICE_ARGS(reply->body));
    subscription_renew(&this->subscription, &err);
}

// Nobody knows whether the master carried the call out, and events may still come over a stream
// that hears us no more: only a new registration makes both sides agree again.
static void broken(struct driver *this, enum call_type type, const struct transport_reply *reply)
{
    struct error err = {0};
    error_set(&err, ERROR_IO, "the master did not answer %s: %.*s", call_name(type),
              SLICE_ARGS(reply->body));
    if (running(this))
        subscription_renew(&this->subscription, &err);
}

// They come in crowds when a connection breaks: counted here, told of at the end of the turn.
static void unanswered(struct driver *this, enum call_type type,
                       const struct transport_reply *reply)
{
    this->counters.unanswered[type]++;
    log_debug("%s was not answered: %.*s", call_name(type), SLICE_ARGS(reply->body));
    if (!running(this))
        return;
    this->unanswered++;
    deferral_queue(&this->turn);
}

static void tell_unanswered(struct driver *this)
{
    if (this->unanswered > 0)
        log_warning("%zu call%s had no answer, and may not have reached the master",
                    this->unanswered, this->unanswered == 1 ? "" : "s");
    this->unanswered = 0;
}

static void drop_fallback(struct driver *this)
{
    if (this->has_fallback)
        framework_free(&this->fallback);
    this->has_fallback = false;
}

// A revision that the master refused must not be what the driver subscribes with the next time.
static void revision_answered(struct driver *this, const struct transport_reply *reply)
{
    if (--this->updates > 0)
        return;
    bool judged = reply->status == 400 || reply->status == 403;
    if (this->has_fallback && judged && !means_lost(CALL_UPDATE_FRAMEWORK, reply)) {
        log_warning("the framework stays as the master knows it");
        framework_free(&this->framework);
        this->framework = this->fallback;
        this->has_fallback = false;
    }
    drop_fallback(this);
}

static void on_answer(void *data, const struct transport_reply *reply)
{
    struct answer_slot *slot = data;
    struct driver *this = slot->driver;
    enter(this);
    this->in_flight--;
    if (reply->status == 0)
        unanswered(this, slot->type, reply);
    else if (reply->status != 200 && reply->status != 202)
        refused(this, slot->type, reply);
    else if (slot->type == CALL_TEARDOWN)
        this->torn_down = true;
    if (slot->type == CALL_UPDATE_FRAMEWORK)
        revision_answered(this, reply);
    if (reply->broken)
        broken(this, slot->type, reply);
    settle(this);
    leave(this);
}

// ---- delivering events ----

static void enqueue(struct driver *this, struct bytes *record)
{
    event_queue_push(&this->queue, record);
    if (this->queue.bytes > QUEUE_BYTES_MOST && !this->paused) {
        log_warning("the script is busy and %zu MiB of events are waiting: reading pauses",
                    this->queue.bytes >> 20);
        this->paused = true;
        subscription_pause(&this->subscription, true);
    }
}

static struct bytes *dequeue(struct driver *this)
{
    struct bytes *record = event_queue_pop(&this->queue);
    if (this->paused && this->queue.bytes < QUEUE_BYTES_MOST / 2) {
        log_info("reading goes on");
        this->paused = false;
        subscription_pause(&this->subscription, false);
    }
    return record;
}

static void acknowledge(struct driver *this, enum call_type type, struct slice status)
{
    bool needed = type == CALL_ACKNOWLEDGE ? updates_acknowledge(status, &this->message)
                                           : updates_acknowledge_operation(status, &this->message);
    if (needed)
        send_or_drop(this, type, buffer_slice(&this->message));
    else
        log_debug("the status of %.*s needs no acknowledgement: it has no uuid or no agent",
                  SLICE_ARGS(wire_find(wire_find(status, 1), 1)));
}

// The offers of a resourceOffers that raised go back, so that they come again.
static void return_offers(struct driver *this)
{
    struct slice list = this->current.message, wire;
    while (events_next_offer(&list, &wire)) {
        struct slice id = wire_find(wire_find(wire, 1), 1);
        const struct offer *offer = offers_find(this->offers, id, NULL);
        if (offer != NULL && offer->wire.data == wire.data)
            driver_decline(this, id, (struct slice){.data = NULL});
    }
}

// What driver_repeat() asked for. Offers need no event: they are still outstanding.
static void keep_event(struct driver *this)
{
    this->repeating = false;
    if (this->current.callback == CALLBACK_RESOURCE_OFFERS)
        this->offers_again = true;
    else if (this->current.callback == CALLBACK_INVERSE_OFFERS)
        this->inverse_offers_again = true;
    else if (this->current.callback == CALLBACK_RELOADED)
        this->greeting = true;
    else
        this->has_again = true;
    this->again = this->current;
    if (!this->has_again)
        bytes_unref(this->current.block);
}

static void go_on_as_new(struct driver *this)
{
    log_info("framework %.*s was removed; going on as a new one",
             SLICE_ARGS(framework_id(&this->framework)));
    framework_set_id(&this->framework, slice_text(""));
    this->registered = false;
    subscription_start(&this->subscription);
}

// What was asked with frameworkRemoved is answered.
static void finish_removed(struct driver *this, bool ok)
{
    if (ok && this->reregister) {
        go_on_as_new(this);
        return;
    }
    char *text = memory_text((const char *)this->current.data.data, this->current.data.length);
    driver_fail(this, text);
    free(text);
}

static void finish_delivery(struct driver *this, bool ok)
{
    struct bytes *block = this->current.block;
    enum driver_callback callback = this->current.callback;
    this->delivering = false;
    if (!ok)
        this->counters.failed[callback]++;
    if (this->repeating && running(this) && !ok) {
        keep_event(this);
        return;
    }
    this->repeating = false;
    if (running(this) && ok && !this->explicit_acknowledgements) {
        if (callback == CALLBACK_STATUS_UPDATE)
            acknowledge(this, CALL_ACKNOWLEDGE, this->current.message);
        else if (callback == CALLBACK_OPERATION_STATUS_UPDATE)
            acknowledge(this, CALL_ACKNOWLEDGE_OPERATION_STATUS, this->current.message);
    } else if (running(this) && !ok && callback == CALLBACK_RESOURCE_OFFERS) {
        return_offers(this);
    }
    if (running(this) && callback == CALLBACK_FRAMEWORK_REMOVED)
        finish_removed(this, ok);
    bytes_unref(block);
}

static void count_event(struct driver_counters *counters, const struct driver_event *event)
{
    enum { FIELD_STATE = 2 };
    uint64_t state;
    counters->events[event->callback]++;
    if (event->callback == CALLBACK_STATUS_UPDATE &&
        wire_find_varint(event->message, FIELD_STATE, &state) && state < TASK_STATES)
        counters->states[state]++;
}

// Hands one event to the listener; takes the reference on its block.
static void deliver(struct driver *this, const struct driver_event *event)
{
    this->current = *event;
    this->delivering = true;
    count_event(&this->counters, event);
    enum driver_outcome outcome = this->listener->callback(this->data, &this->current);
    if (outcome != OUTCOME_PENDING)
        finish_delivery(this, outcome == OUTCOME_DONE);
}

static void collect_offers(struct driver *this, struct offers *offers, struct driver_event *event)
{
    struct slice list = event->message, wire;
    while (events_next_offer(&list, &wire)) {
        if (event->count == this->batch_capacity) {
            this->batch_capacity = this->batch_capacity ? 2 * this->batch_capacity : 64;
            this->batch = memory_resize(this->batch, this->batch_capacity * sizeof(struct offer *));
        }
        const struct offer *offer = offers_add(offers, event->block, wire);
        if (offer != NULL)
            this->batch[event->count++] = offer;
    }
    event->offers = this->batch;
}

static void deliver_subscribed(struct driver *this, struct driver_event *event)
{
    offers_spend_all(this->offers, "was made void by a new registration");
    offers_spend_all(this->inverse_offers, "was made void by a new registration");
    framework_set_id(&this->framework, event->framework_id);
    bytes_unref(this->master);
    this->master =
        event->message.data ? bytes_copy(event->message.data, event->message.length) : NULL;
    this->connected = true;
    event->callback = this->registered ? CALLBACK_REREGISTERED : CALLBACK_REGISTERED;
    this->registered = true;
    log_info("%s with %s as framework %.*s",
             event->callback == CALLBACK_REGISTERED ? "registered" : "reregistered",
             this->subscription.target, SLICE_ARGS(event->framework_id));
    if (this->outdated)
        send_update_framework(this);
    deliver(this, event);
}

static void deliver_disconnected(struct driver *this)
{
    struct driver_event event = {.callback = CALLBACK_DISCONNECTED};
    deliver(this, &event);
}

static void deliver_fatal(struct driver *this)
{
    char *text = this->fatal;
    this->fatal = NULL;
    struct bytes *block = bytes_copy(text, strlen(text));
    struct driver_event event = {
        .callback = CALLBACK_ERROR, .block = block, .data = slice_of(block)};
    free(text);
    deliver(this, &event);
}

static void deliver_callback(struct driver *this, struct driver_event *event)
{
    if (event->callback == CALLBACK_RESOURCE_OFFERS)
        collect_offers(this, this->offers, event);
    else if (event->callback == CALLBACK_INVERSE_OFFERS)
        collect_offers(this, this->inverse_offers, event);
    else if (event->callback == CALLBACK_OFFER_RESCINDED)
        offers_spend(this->offers, event->offer_id, "was rescinded");
    else if (event->callback == CALLBACK_INVERSE_OFFER_RESCINDED)
        offers_spend(this->inverse_offers, event->offer_id, "was rescinded");
    else if (event->callback == CALLBACK_OPERATION_STATUS_UPDATE && this->explicit_acknowledgements)
        updates_keep(&this->operation_updates, event->message);
    deliver(this, event);
}

// The answer to SUBSCRIBE with the id of a framework whose failover timeout is over, or that was
// torn down.
static bool means_removed(const struct driver *this, struct slice text)
{
    static const char words[] = "Framework has been removed";
    return !this->connected && framework_id(&this->framework).length > 0 &&
           memmem(text.data, text.length, words, sizeof words - 1) != NULL;
}

// An ERROR ended the stream.
static void deliver_error(struct driver *this, struct driver_event *event)
{
    if (means_removed(this, event->data)) {
        event->callback = CALLBACK_FRAMEWORK_REMOVED;
        event->framework_id = framework_id(&this->framework);
        this->reregister = false;
        deliver(this, event);
        return;
    }
    char *text = memory_text((const char *)event->data.data, event->data.length);
    bytes_unref(event->block);
    driver_fail(this, text);
    free(text);
}

static void deliver_record(struct driver *this, struct bytes *record)
{
    struct driver_event event;
    enum event_kind kind = events_read(record, &event);
    if (kind == EVENT_SUBSCRIBED) {
        deliver_subscribed(this, &event);
    } else if (kind == EVENT_CALLBACK && event.callback == CALLBACK_ERROR) {
        deliver_error(this, &event);
    } else if (kind == EVENT_CALLBACK) {
        deliver_callback(this, &event);
    } else {
        log_debug("an event of an unknown type, or without its message, was skipped");
        bytes_unref(record);
    }
}

static void deliver_reloaded(struct driver *this)
{
    struct driver_event event = {.callback = CALLBACK_RELOADED};
    this->greeting = false;
    deliver(this, &event);
}

static void deliver_again(struct driver *this)
{
    struct driver_event event = this->again;
    this->has_again = false;
    deliver(this, &event);
}

// All outstanding offers as one event, as if they had just been made.
static void deliver_offers_again(struct driver *this, struct offers *offers,
                                 enum driver_callback callback)
{
    struct buffer list;
    if (offers_count(offers) == 0)
        return;
    buffer_init(&list, SIZE_MAX);
    for (const struct offer *offer = offers_first(offers); offer != NULL; offer = offer->next)
        wire_put_bytes(&list, 1, offer->wire);
    struct bytes *block = bytes_copy(list.data, list.length);
    buffer_free(&list);
    struct driver_event event = {.callback = callback, .block = block, .message = slice_of(block)};
    deliver_callback(this, &event);
}

static void deliver_queued(struct driver *this)
{
    struct bytes *record = dequeue(this);
    if (record != NULL)
        deliver_record(this, record);
    else
        deliver_disconnected(this);
}

// False if nothing waits.
static bool deliver_next(struct driver *this)
{
    if (this->greeting) {
        deliver_reloaded(this);
    } else if (this->has_again) {
        deliver_again(this);
    } else if (this->offers_again) {
        this->offers_again = false;
        deliver_offers_again(this, this->offers, CALLBACK_RESOURCE_OFFERS);
    } else if (this->inverse_offers_again) {
        this->inverse_offers_again = false;
        deliver_offers_again(this, this->inverse_offers, CALLBACK_INVERSE_OFFERS);
    } else if (!event_queue_empty(&this->queue)) {
        deliver_queued(this);
    } else {
        return false;
    }
    return true;
}

static void pump(struct driver *this)
{
    while (running(this) && !this->delivering && !this->held && deliver_next(this))
        ;
    if (this->fatal != NULL && !this->delivering && !this->held && !this->doomed)
        deliver_fatal(this);
    settle(this);
}

// ---- what the subscription tells ----

// A framework that has little time until it is given up comes back sooner.
static void limit_backoff(struct driver *this)
{
    const double least = 0.5;
    double timeout = this->framework.info->failover_timeout, limit = timeout / 10;
    this->subscription.options.backoff_max = this->backoff_max;
    if (timeout > 0 && limit < this->backoff_max)
        this->subscription.options.backoff_max = limit > least ? limit : least;
}

static void on_prepare(void *data, struct buffer *call)
{
    struct driver *this = data;
    limit_backoff(this);
    framework_set_principal(&this->framework, transport_principal(this->transport));
    framework_write(&this->framework, &this->message);
    call_build(call, CALL_SUBSCRIBE, framework_id(&this->framework), buffer_slice(&this->message));
    this->counters.calls[CALL_SUBSCRIBE]++;
    this->outdated = false;
}

// Is nothing ahead of an event that has just come?
static bool at_leisure(const struct driver *this)
{
    bool repeats =
        this->greeting || this->has_again || this->offers_again || this->inverse_offers_again;
    return !this->delivering && !this->held && !repeats && event_queue_empty(&this->queue);
}

static void on_record(void *data, struct bytes *record)
{
    struct driver *this = data;
    enter(this);
    if (!running(this))
        bytes_unref(record);
    else if (at_leisure(this))
        deliver_record(this, record);
    else
        enqueue(this, record);
    pump(this);
    leave(this);
}

static void drop_again(struct driver *this)
{
    if (this->has_again)
        bytes_unref(this->again.block);
    this->has_again = false;
}

// It may have been lost by driver_reconnect(), within which nobody expects a callback.
static void on_lost(void *data, const struct error *reason)
{
    struct driver *this = data;
    enter(this);
    log_warning("disconnected: %s", reason->text);
    buffer_clear(&this->declines);
    buffer_clear(&this->decline_filters);
    event_queue_drop_stale(&this->queue);
    this->paused = false;
    offers_spend_all(this->offers, "was made void when the master was lost");
    offers_spend_all(this->inverse_offers, "was made void when the master was lost");
    if (this->connected)
        enqueue(this, NULL);
    this->connected = false;
    deferral_queue(&this->turn);
    leave(this);
}

static void on_failed(void *data, const struct error *reason)
{
    struct driver *this = data;
    enter(this);
    driver_fail(this, reason->text);
    pump(this);
    leave(this);
}

static const struct subscription_events subscription_events = {
    .prepare = on_prepare,
    .record = on_record,
    .lost = on_lost,
    .failed = on_failed,
};

// ---- the end ----

// What was sent before the end still goes out: the stream is closed when all of it is answered.
static void settle(struct driver *this)
{
    if (this->status == DRIVER_NOT_STARTED || this->status == DRIVER_RUNNING || this->settled)
        return;
    if (this->doomed || this->delivering || this->fatal != NULL)
        return;
    bool patient = this->in_flight > 0 && timer_active(&this->deadline);
    if (patient)
        return;
    this->settled = true;
    timer_stop(&this->deadline);
    subscription_stop(&this->subscription);
    log_debug("driver: finished");
    if (this->listener->finished != NULL)
        this->listener->finished(this->data);
}

static void on_deadline(void *data)
{
    struct driver *this = data;
    enter(this);
    if (this->in_flight > 0)
        log_warning("%zu call%s had no answer in %g seconds", this->in_flight,
                    this->in_flight == 1 ? "" : "s", settle_deadline);
    settle(this);
    leave(this);
}

static void on_turn(void *data)
{
    struct driver *this = data;
    enter(this);
    tell_unanswered(this);
    if (this->connected)
        flush_declines(this);
    pump(this);
    leave(this);
}

// From here on only what was called before happens. The subscription stays open for the answers,
// but what it brings is not looked at any more.
static void end(struct driver *this, enum driver_status status)
{
    this->status = status;
    this->connected = false;
    event_queue_clear(&this->queue);
    drop_again(this);
    this->greeting = this->offers_again = this->inverse_offers_again = false;
    subscription_drain(&this->subscription);
    timer_start(&this->deadline, loop_seconds(settle_deadline));
    deferral_queue(&this->turn);
}

void driver_fail(struct driver *this, const char *text)
{
    if (this->status != DRIVER_RUNNING)
        return;
    this->fatal = memory_string(text);
    end(this, DRIVER_ABORTED);
}

// ---- operations ----

enum driver_status driver_start(struct driver *this)
{
    if (this->status != DRIVER_NOT_STARTED)
        return this->status;
    this->status = DRIVER_RUNNING;
    subscription_start(&this->subscription);
    return this->status;
}

enum driver_status driver_stop(struct driver *this, bool failover)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    if (this->connected) {
        flush_declines(this);
        if (!failover)
            send_call(this, CALL_TEARDOWN, (struct slice){.data = NULL});
    }
    end(this, DRIVER_STOPPED);
    return this->status;
}

enum driver_status driver_abort(struct driver *this)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    if (this->connected)
        flush_declines(this);
    end(this, DRIVER_ABORTED);
    return this->status;
}

static void lose_tasks(struct driver *this, size_t count, Mesos__V1__TaskInfo *const *tasks)
{
    bool aware = framework_has_capability(
        &this->framework, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE);
    for (size_t i = 0; i < count; i++)
        enqueue(this, updates_disconnected(tasks[i]->task_id->value, aware, loop_wall(this->loop)));
}

// Launches that cannot be sent come back as updates, since a script waits for updates.
static void lose_launches(struct driver *this, const Mesos__V1__Scheduler__Call__Accept *accept)
{
    for (size_t i = 0; i < accept->n_operations; i++) {
        const Mesos__V1__Offer__Operation *operation = accept->operations[i];
        if (operation->launch != NULL)
            lose_tasks(this, operation->launch->n_task_infos, operation->launch->task_infos);
        if (operation->launch_group != NULL)
            lose_tasks(this, operation->launch_group->task_group->n_tasks,
                       operation->launch_group->task_group->tasks);
    }
    deferral_queue(&this->turn);
}

static void accept_disconnected(struct driver *this, struct slice wire)
{
    Mesos__V1__Scheduler__Call__Accept *accept = (void *)protobuf_c_message_unpack(
        &mesos__v1__scheduler__call__accept__descriptor, NULL, wire.length, wire.data);
    drop(this, CALL_ACCEPT);
    if (accept == NULL)
        return;
    lose_launches(this, accept);
    protobuf_c_message_free_unpacked(&accept->base, NULL);
}

static void spend_listed(struct offers *offers, struct slice message, const char *why)
{
    struct wire wire = wire_open(message);
    for (struct wire_field field; wire_next(&wire, &field);)
        if (field.number == 1 && field.type == WIRE_BYTES)
            offers_spend(offers, wire_find(field.bytes, 1), why);
}

static uint64_t count_listed(struct slice message, uint32_t number)
{
    uint64_t count = 0;
    for (struct slice one; wire_next_bytes(&message, number, &one);)
        count++;
    return count;
}

// The tasks of LAUNCH and LAUNCH_GROUP in a Call.Accept.
static uint64_t count_tasks(struct slice accept)
{
    enum { ACCEPT_OPERATIONS = 2, LAUNCH = 2, LAUNCH_TASKS = 1 };
    enum { LAUNCH_GROUP = 7, GROUP_INFO = 2, GROUP_TASKS = 1 };
    uint64_t count = 0;
    for (struct slice operation; wire_next_bytes(&accept, ACCEPT_OPERATIONS, &operation);) {
        struct slice group = wire_find(operation, LAUNCH_GROUP);
        count += count_listed(wire_find(operation, LAUNCH), LAUNCH_TASKS);
        count += count_listed(wire_find(group, GROUP_INFO), GROUP_TASKS);
    }
    return count;
}

enum driver_status driver_accept(struct driver *this, struct slice accept)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    if (!this->connected) {
        accept_disconnected(this, accept);
        return this->status;
    }
    this->counters.launched += count_tasks(accept);
    send_or_drop(this, CALL_ACCEPT, accept);
    spend_listed(this->offers, accept, "was accepted already");
    return this->status;
}

enum driver_status driver_decline(struct driver *this, struct slice offer_id, struct slice filters)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    if (!this->connected) {
        drop(this, CALL_DECLINE);
        return this->status;
    }
    struct buffer *waiting = &this->decline_filters;
    buffer_clear(&this->message);
    if (filters.data != NULL)
        wire_put_bytes(&this->message, 2, filters);
    if (!slice_equal(buffer_slice(waiting), buffer_slice(&this->message)))
        flush_declines(this);
    buffer_clear(waiting);
    buffer_append_slice(waiting, buffer_slice(&this->message));
    size_t mark = wire_begin(&this->declines, 1);
    wire_put_bytes(&this->declines, 1, offer_id);
    wire_end(&this->declines, mark);
    offers_spend(this->offers, offer_id, "was declined already");
    deferral_queue(&this->turn);
    return this->status;
}

enum driver_status driver_acknowledge(struct driver *this, struct slice status)
{
    if (this->status == DRIVER_RUNNING)
        acknowledge(this, CALL_ACKNOWLEDGE, status);
    return this->status;
}

enum driver_status driver_acknowledge_operation(struct driver *this, struct slice status)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    struct bytes *received = updates_take(&this->operation_updates, status);
    if (received != NULL)
        acknowledge(this, CALL_ACKNOWLEDGE_OPERATION_STATUS, slice_of(received));
    else
        log_warning("the status of operation %.*s is not acknowledged: no such status was "
                    "received, or it was acknowledged already",
                    SLICE_ARGS(wire_find(wire_find(status, 1), 1)));
    bytes_unref(received);
    return this->status;
}

// While disconnected the roles are remembered: SUBSCRIBE brings them to the next master.
static void send_roles(struct driver *this, enum call_type type, const char *const *names)
{
    if (!this->connected) {
        this->outdated = true;
        return;
    }
    buffer_clear(&this->message);
    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        wire_put_bytes(&this->message, 1, slice_text(names[i]));
    bool all = names == NULL;
    send_or_drop(this, type, all ? (struct slice){.data = NULL} : buffer_slice(&this->message));
}

enum driver_status driver_revive(struct driver *this, const char *const *names)
{
    if (this->status != DRIVER_RUNNING || (names != NULL && names[0] == NULL))
        return this->status;
    framework_revive(&this->framework, names);
    if (this->has_fallback)
        framework_revive(&this->fallback, names);
    send_roles(this, CALL_REVIVE, names);
    return this->status;
}

enum driver_status driver_suppress(struct driver *this, const char *const *names)
{
    if (this->status != DRIVER_RUNNING || (names != NULL && names[0] == NULL))
        return this->status;
    framework_suppress(&this->framework, names);
    if (this->has_fallback)
        framework_suppress(&this->fallback, names);
    send_roles(this, CALL_SUPPRESS, names);
    return this->status;
}

// The new framework, roles and constraints, if they may take the place of the old ones.
static bool read_update(struct driver *this, struct slice wire, struct framework *update,
                        struct error *err)
{
    struct slice roles = wire, role;
    if (!framework_init(update, wire_find(wire, 1), wire_find(wire, 3), NULL))
        return error_set(err, ERROR_INVALID, "updateFramework: the FrameworkInfo is malformed");
    while (wire_next_bytes(&roles, 2, &role))
        roles_add_slice(&update->suppressed, role);
    struct slice known = framework_id(&this->framework), given = framework_id(update);
    if (known.length == 0)
        error_set(err, ERROR_INVALID,
                  "updateFramework must not be called before the framework is registered");
    else if (!slice_equal(known, given))
        error_set(
            err, ERROR_INVALID,
            "updateFramework: the id in the FrameworkInfo is '%.*s', the framework's is '%.*s'",
            SLICE_ARGS(given), SLICE_ARGS(known));
    else
        return true;
    framework_free(update);
    return false;
}

enum driver_status driver_update_framework(struct driver *this, struct slice wire)
{
    struct framework update;
    struct error err = {0};
    if (this->status != DRIVER_RUNNING)
        return this->status;
    if (!read_update(this, wire, &update, &err)) {
        driver_fail(this, err.text);
        return this->status;
    }
    drop_fallback(this);
    framework_free(&this->framework);
    this->framework = update;
    if (this->connected)
        send_update_framework(this);
    else
        this->outdated = true;
    return this->status;
}

enum driver_status driver_call(struct driver *this, enum call_type type, struct slice message)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    send_or_drop(this, type, message);
    if (type == CALL_ACCEPT_INVERSE_OFFERS)
        spend_listed(this->inverse_offers, message, "was accepted already");
    else if (type == CALL_DECLINE_INVERSE_OFFERS)
        spend_listed(this->inverse_offers, message, "was declined already");
    return this->status;
}

enum driver_status driver_reconnect(struct driver *this)
{
    struct error err = {0};
    if (this->status != DRIVER_RUNNING)
        return this->status;
    error_set(&err, ERROR_NONE, "reconnecting, as the framework asked");
    enter(this);
    subscription_renew(&this->subscription, &err);
    enum driver_status status = this->status;
    leave(this);
    return status;
}

void driver_reregister(struct driver *this)
{
    this->reregister = true;
}

void driver_callback_finished(struct driver *this, bool ok)
{
    enter(this);
    finish_delivery(this, ok);
    pump(this);
    leave(this);
}

// ---- another version of the listener ----

void driver_hold(struct driver *this)
{
    this->held = true;
}

void driver_release(struct driver *this)
{
    enter(this);
    this->held = false;
    pump(this);
    leave(this);
}

void driver_repeat(struct driver *this)
{
    this->held = true;
    this->repeating = this->delivering;
}

void driver_hand_over(struct driver *this)
{
    this->greeting = this->offers_again = this->inverse_offers_again = running(this);
}

static void add_names(struct roles *roles, char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        roles_add(roles, names[i]);
}

static void revised_framework(struct driver *this, const struct driver_revision *revision,
                              struct framework *next)
{
    const struct framework *now = &this->framework;
    struct slice info = revision->framework.data ? revision->framework : buffer_slice(&now->wire);
    struct slice constraints = {.data = NULL};
    if (revision->constraints)
        constraints = revision->offer_constraints;
    else if (now->constraints != NULL)
        constraints = slice_of(now->constraints);
    framework_init(next, info, constraints, revision->roles ? revision->suppressed_roles : NULL);
    if (!revision->roles)
        add_names(&next->suppressed, now->suppressed.names, now->suppressed.count);
    if (framework_id(now).length > 0)
        framework_set_id(next, framework_id(now));
    framework_set_principal(next, now->info->principal);
}

void driver_revise(struct driver *this, const struct driver_revision *revision)
{
    struct framework next;
    this->explicit_acknowledgements = revision->explicit_acknowledgements;
    if (revision->framework.data == NULL && !revision->roles && !revision->constraints)
        return;
    revised_framework(this, revision, &next);
    if (this->connected && this->updates == 0) {
        this->fallback = this->framework;
        this->has_fallback = true;
    } else {
        framework_free(&this->framework);
    }
    this->framework = next;
    if (this->connected)
        send_update_framework(this);
    else
        this->outdated = true;
}

// ---- its state ----

enum driver_status driver_status(const struct driver *this)
{
    return this->status;
}

bool driver_finished(const struct driver *this)
{
    return this->settled || this->status == DRIVER_NOT_STARTED;
}

bool driver_connected(const struct driver *this)
{
    return this->connected;
}

bool driver_torn_down(const struct driver *this)
{
    return this->torn_down;
}

struct slice driver_framework(const struct driver *this)
{
    return buffer_slice(&this->framework.wire);
}

struct slice driver_framework_id(const struct driver *this)
{
    return framework_id(&this->framework);
}

struct slice driver_master(const struct driver *this)
{
    return this->master ? slice_of(this->master) : (struct slice){.data = NULL};
}

struct offers *driver_offers(struct driver *this)
{
    return this->offers;
}

struct offers *driver_inverse_offers(struct driver *this)
{
    return this->inverse_offers;
}

size_t driver_events_waiting(const struct driver *this)
{
    return this->queue.count;
}

const struct driver_counters *driver_counters(const struct driver *this)
{
    return &this->counters;
}

// ---- life ----

static void init_buffers(struct driver *this)
{
    buffer_init(&this->call, CALL_BYTES_MOST);
    buffer_init(&this->message, CALL_BYTES_MOST);
    buffer_init(&this->declines, CALL_BYTES_MOST);
    buffer_init(&this->decline_filters, CALL_BYTES_MOST);
}

static void free_buffers(struct driver *this)
{
    buffer_free(&this->call);
    buffer_free(&this->message);
    buffer_free(&this->declines);
    buffer_free(&this->decline_filters);
}

// The transport answers what it still owes when it goes, which must not release again.
static void release(struct driver *this)
{
    enter(this);
    subscription_free(&this->subscription);
    transport_destroy(this->transport);
    detector_destroy(this->detector);
    free_buffers(this);
    drop_fallback(this);
    framework_free(&this->framework);
    offers_destroy(this->offers);
    offers_destroy(this->inverse_offers);
    updates_forget(&this->operation_updates);
    bytes_unref(this->master);
    free(this->batch);
    free(this->fatal);
    free(this);
}

struct driver *driver_create(struct loop *loop, const struct driver_options *options,
                             const struct driver_listener *listener, void *data)
{
    struct driver *this = memory_new(sizeof *this);
    this->loop = loop;
    this->listener = listener;
    this->data = data;
    this->status = DRIVER_NOT_STARTED;
    this->explicit_acknowledgements = options->explicit_acknowledgements;
    this->detector = options->detector;
    this->transport = options->transport;
    this->offers = offers_create();
    this->inverse_offers = offers_create();
    event_queue_init(&this->queue);
    init_buffers(this);
    for (int i = 0; i < CALL_TYPES; i++)
        this->slots[i] = (struct answer_slot){.driver = this, .type = (enum call_type)i};
    framework_init(&this->framework, options->framework, options->offer_constraints,
                   options->suppressed_roles);
    if (options->framework_id.length > 0)
        framework_set_id(&this->framework, options->framework_id);
    deferral_init(&this->turn, loop, on_turn, this);
    timer_init(&this->deadline, loop, on_deadline, this);
    this->backoff_max = options->subscription.backoff_max;
    subscription_init(&this->subscription, loop, this->detector, this->transport,
                      &options->subscription, &subscription_events, this);
    return this;
}

void driver_destroy(struct driver *this)
{
    if (this == NULL)
        return;
    enter(this);
    this->doomed = true;
    timer_stop(&this->deadline);
    deferral_cancel(&this->turn);
    event_queue_clear(&this->queue);
    drop_again(this);
    if (this->delivering && this->depth == 1) {
        this->delivering = false;
        bytes_unref(this->current.block);
    }
    subscription_stop(&this->subscription);
    leave(this);
}
