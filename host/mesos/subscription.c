// SPDX-License-Identifier: Apache-2.0
//
// The subscription to the leading master: see subscription.h. All state changes go through enter(),
// which logs them. Of the two timers, `retry` runs while waiting for the next try, `watchdog` while
// a stream is open: first for the answer, then for the first record, then for any record.

#include "mesos/subscription.h"

#include "base/log.h"
#include "base/memory.h"
#include "net/timeouts.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"
#include "wire/wire_accept.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { REDIRECTS_MOST = 5 };

static const double default_heartbeat = 15; // of masters that do not say
static const double grace = 2;              // seconds of the watchdog's grace period

const struct subscription_options subscription_defaults = {
    .backoff_factor = 2,
    .backoff_max = 60,
    .answer_deadline = TIMEOUT_ANSWER,
    .missed_intervals = 5,
};

static void enter(struct subscription *subscription, enum subscription_state state)
{
    static const char *const names[] = {"stopped",     "detecting",  "waiting", "connecting",
                                        "subscribing", "subscribed", "failed",  "draining"};
    if (subscription->state == state)
        return;
    log_debug("subscription: %s -> %s", names[subscription->state], names[state]);
    subscription->state = state;
}

static const struct subscription_protocol *protocol_of(const struct subscription *subscription)
{
    return subscription->options.protocol;
}

static bool streaming(const struct subscription *subscription)
{
    return subscription->state == SUBSCRIPTION_CONNECTING ||
           subscription->state == SUBSCRIPTION_SUBSCRIBING ||
           subscription->state == SUBSCRIPTION_SUBSCRIBED;
}

static bool draining(const struct subscription *subscription)
{
    return subscription->state == SUBSCRIPTION_DRAINING;
}

// How long the next record or answer may take.
static uint64_t patience(const struct subscription *subscription)
{
    bool subscribed = subscription->state == SUBSCRIPTION_SUBSCRIBED;
    return loop_seconds(subscribed
                            ? subscription->options.missed_intervals * subscription->heartbeat
                            : subscription->options.answer_deadline);
}

// Starts the watchdog anew, for the next record or answer.
static void watch(struct subscription *subscription)
{
    bool subscribed = subscription->state == SUBSCRIPTION_SUBSCRIBED;
    subscription->in_grace = false;
    subscription->heard = loop_now(subscription->loop);
    if (subscribed && subscription->options.missed_intervals == 0)
        timer_stop(&subscription->watchdog);
    else
        timer_start(&subscription->watchdog, patience(subscription));
}

// After a record: the watchdog that runs sees when it expires that it has been too early.
static void note_heard(struct subscription *subscription)
{
    if (timer_active(&subscription->watchdog) && !subscription->in_grace)
        subscription->heard = loop_now(subscription->loop);
    else
        watch(subscription);
}

// ---- trying again ----

// Full jitter: uniform between 0 and the bound, so that a thousand clients of a new leader do not
// arrive together.
static double next_delay(struct subscription *subscription)
{
    double bound = ldexp(subscription->options.backoff_factor,
                         subscription->failures < 30 ? (int)subscription->failures : 30);
    if (bound > subscription->options.backoff_max)
        bound = subscription->options.backoff_max;
    subscription->failures++;
    return bound * erand48(subscription->random);
}

// Returns in how many seconds.
static double retry_later(struct subscription *subscription)
{
    double delay = subscription->redirect ? 0 : next_delay(subscription);
    timer_start(&subscription->retry, loop_seconds(delay));
    return delay;
}

// Enters a state without a stream and without timers. It enters it first: closing answers calls,
// and an answer may ask for a new subscription.
static void quiesce(struct subscription *subscription, enum subscription_state state)
{
    bool open = streaming(subscription) || draining(subscription);
    timer_stop(&subscription->watchdog);
    timer_stop(&subscription->retry);
    enter(subscription, state);
    if (open)
        transport_close(subscription->transport);
}

static void fail(struct subscription *subscription, const struct error *reason)
{
    quiesce(subscription, SUBSCRIPTION_FAILED);
    detector_stop(subscription->detector);
    subscription->events->failed(subscription->data, reason);
}

static void log_failed(const struct subscription *subscription, const struct error *reason,
                       double delay)
{
    const char *target = subscription->target ? subscription->target : "the master";
    if (subscription->master != NULL)
        log_warning("cannot subscribe at %s: %s; trying again in %.1f s, retry %u%s", target,
                    reason->text, delay, subscription->failures, protocol_of(subscription)->hint);
    else
        log_warning("cannot subscribe at %s: %s; trying again when a master leads", target,
                    reason->text);
}

static bool goes_on(const struct subscription *subscription, const struct error *reason)
{
    return subscription->events->go_on == NULL ||
           subscription->events->go_on(subscription->data, reason);
}

// The stream is lost, or the attempt to open one has failed. The state changes before the owner is
// called, which may call any function of the subscription.
static void stream_lost(struct subscription *subscription, const struct error *reason)
{
    bool subscribed = subscription->state == SUBSCRIPTION_SUBSCRIBED;
    if (!subscribed && !goes_on(subscription, reason)) {
        fail(subscription, reason);
        return;
    }
    quiesce(subscription, subscription->master ? SUBSCRIPTION_WAITING : SUBSCRIPTION_DETECTING);
    subscription->redirects = 0;
    subscription->failed_try = !subscribed;
    detector_retry(subscription->detector);
    double delay = subscription->master ? retry_later(subscription) : 0;
    if (subscribed)
        subscription->events->lost(subscription->data, reason);
    else
        log_failed(subscription, reason, delay);
}

// Closes the stream because of what the master sent on it.
static void cut(struct subscription *subscription, const struct error *reason)
{
    bool subscribed = subscription->state == SUBSCRIPTION_SUBSCRIBED;
    bool soon =
        loop_now(subscription->loop) - subscription->since < loop_seconds(subscription->heartbeat);
    if (subscribed)
        subscription->cuts = soon ? subscription->cuts + 1 : 1;
    if (subscribed && subscription->cuts > 1)
        subscription->failures = subscription->cuts - 1;
    stream_lost(subscription, reason);
}

// ---- the stream ----

static void connect_now(struct subscription *subscription)
{
    struct buffer call;
    struct error err = {0};
    buffer_init(&call, SIZE_MAX / 2);
    subscription->events->prepare(subscription->data, &call);
    free(subscription->target);
    subscription->target =
        subscription->redirect ? subscription->redirect : memory_string(subscription->master);
    subscription->redirect = NULL;
    enter(subscription, SUBSCRIPTION_CONNECTING);
    watch(subscription);
    log_debug("sending SUBSCRIBE to %s", subscription->target);
    bool opened =
        transport_open(subscription->transport, subscription->target, buffer_slice(&call), &err);
    buffer_free(&call);
    if (!opened)
        stream_lost(subscription, &err);
}

static void on_retry(void *data)
{
    connect_now(data);
}

// A callback that kept the loop busy for minutes must not look like a silent master: the records
// may be in the socket, unread. So when the watchdog expires, a short grace period runs first.
static void on_watchdog(void *data)
{
    struct subscription *subscription = data;
    struct error err = {0};
    uint64_t due = subscription->heard + patience(subscription);
    if (!subscription->in_grace && due > loop_now(subscription->loop)) {
        timer_start_at(&subscription->watchdog, due);
        return;
    }
    if (!subscription->in_grace) {
        timer_start(&subscription->watchdog, loop_seconds(grace));
        subscription->in_grace = true;
        return;
    }
    if (subscription->state == SUBSCRIPTION_CONNECTING)
        error_set(&err, ERROR_IO, "no answer to SUBSCRIBE in %g seconds",
                  subscription->options.answer_deadline);
    else if (subscription->state == SUBSCRIPTION_SUBSCRIBING)
        error_set(&err, ERROR_IO, "no SUBSCRIBED event in %g seconds",
                  subscription->options.answer_deadline);
    else
        error_set(&err, ERROR_IO, "no heartbeat or other event in %g seconds",
                  subscription->options.missed_intervals * subscription->heartbeat);
    stream_lost(subscription, &err);
}

static void on_accepted(void *data)
{
    struct subscription *subscription = data;
    if (draining(subscription))
        return;
    enter(subscription, SUBSCRIPTION_SUBSCRIBING);
    watch(subscription);
}

static bool follow_redirect(struct subscription *subscription, const char *location)
{
    if (subscription->redirects >= REDIRECTS_MOST)
        return false;
    log_info("%s is not the leading master; it names %s", subscription->target, location);
    subscription->redirect = memory_string(location);
    subscription->redirects++;
    return true;
}

// Masters that start or elect answer 404 and 503; any other status may come from a proxy in front
// of a master that is down. Only a 400 says that this SUBSCRIBE is wrong; 401 and 403 are final
// unless the credential was accepted once.
static bool is_final(const struct subscription *subscription, int status)
{
    return status == 400 || ((status == 401 || status == 403) && !subscription->registered);
}

static void on_refused(void *data, const struct http_reply *reply)
{
    struct subscription *subscription = data;
    struct error err = {0};
    if (draining(subscription))
        return;
    if (reply->status == 0)
        error_set(&err, ERROR_IO, "%.*s", SLICE_ARGS(reply->body));
    else if (reply->advice != NULL)
        error_set(&err, ERROR_REFUSED, "%s%s%.*s", reply->advice,
                  reply->body.length ? "; it says: " : "", SLICE_ARGS(reply->body));
    else
        error_set(&err, ERROR_REFUSED, "SUBSCRIBE was answered with HTTP status %d%s%.*s",
                  reply->status, reply->body.length ? ": " : "", SLICE_ARGS(reply->body));
    if (is_final(subscription, reply->status)) {
        fail(subscription, &err);
        return;
    }
    if (reply->location != NULL && follow_redirect(subscription, reply->location)) {
        quiesce(subscription, SUBSCRIPTION_WAITING);
        retry_later(subscription);
        return;
    }
    stream_lost(subscription, &err);
}

// ---- the events of a scheduler ----

static double scheduler_interval(struct slice event)
{
    struct slice wire = wire_find(event, FIELD_SCHEDULER_EVENT_SUBSCRIBED);
    Mesos__V1__Scheduler__Event__Subscribed *subscribed = (void *)protobuf_c_message_unpack(
        &mesos__v1__scheduler__event__subscribed__descriptor, NULL, wire.length, wire.data);
    double interval = 0;
    if (subscribed != NULL && subscribed->has_heartbeat_interval_seconds)
        interval = subscribed->heartbeat_interval_seconds;
    protobuf_c_message_free_unpacked((ProtobufCMessage *)subscribed, NULL);
    return interval;
}

// Every call carries the id, from a struct whose texts end at the first zero byte.
static bool scheduler_check(struct slice event, struct error *err)
{
    struct slice subscribed = wire_find(event, FIELD_SCHEDULER_EVENT_SUBSCRIBED);
    struct slice id =
        wire_text(wire_find(subscribed, FIELD_SCHEDULER_EVENT_SUBSCRIBED_FRAMEWORK_ID));
    if (id.length == 0 || memchr(id.data, 0, id.length) == NULL)
        return true;
    return error_set(err, ERROR_PROTOCOL,
                     "the master sent a framework id that has a zero byte in it");
}

const struct subscription_protocol subscription_scheduler = {
    .peer = "master",
    .hint = " (--registration-backoff)",
    .event = &mesos__v1__scheduler__event__descriptor,
    .type_field = FIELD_SCHEDULER_EVENT_TYPE,
    .subscribed = MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED,
    .heartbeat = MESOS__V1__SCHEDULER__EVENT__TYPE__HEARTBEAT,
    .error = MESOS__V1__SCHEDULER__EVENT__TYPE__ERROR,
    .check = scheduler_check,
    .interval = scheduler_interval,
};

// ---- events ----

static void on_subscribed(struct subscription *subscription, struct slice event)
{
    const struct subscription_protocol *protocol = protocol_of(subscription);
    double interval = protocol->interval ? protocol->interval(event) : 0;
    subscription->heartbeat = interval >= 0.001 && interval < 86400 ? interval : default_heartbeat;
    subscription->failures = subscription->redirects = 0;
    subscription->since = loop_now(subscription->loop);
    subscription->registered = true;
    enter(subscription, SUBSCRIPTION_SUBSCRIBED);
}

// The master ends the stream after an ERROR. Subscribing again would be wrong: another scheduler
// may have taken over the framework.
static void on_error_event(struct subscription *subscription)
{
    quiesce(subscription, SUBSCRIPTION_FAILED);
    detector_stop(subscription->detector);
}

static bool accept_record(const struct subscription_protocol *protocol, struct bytes **record,
                          int32_t *type, struct error *err)
{
    if (!wire_accept(record, protocol->event, err))
        return error_context(err, "the %s sent an event that is malformed", protocol->peer);
    wire_find_enum(slice_of(*record), protocol->type_field, type);
    return *type != protocol->subscribed || protocol->check == NULL ||
           protocol->check(slice_of(*record), err);
}

static bool is_handed_on(const struct subscription *subscription, int32_t type)
{
    const struct subscription_protocol *protocol = protocol_of(subscription);
    if (type == protocol->error || (type == protocol->unannounced && type != 0))
        return true;
    return subscription->state == SUBSCRIPTION_SUBSCRIBED && type != protocol->heartbeat;
}

static void on_record(void *data, struct bytes *record)
{
    struct subscription *subscription = data;
    const struct subscription_protocol *protocol = protocol_of(subscription);
    int32_t type = 0;
    struct error
        err; // set if the record is bad: clearing it would cost as much as an acknowledgement
    if (draining(subscription)) {
        bytes_unref(record);
        return;
    }
    if (!accept_record(protocol, &record, &type, &err)) {
        bytes_unref(record);
        cut(subscription, &err);
        return;
    }
    if (type == protocol->subscribed) {
        on_subscribed(subscription, slice_of(record));
        watch(subscription);
    }
    note_heard(subscription);
    if (type == protocol->error)
        on_error_event(subscription);
    if (is_handed_on(subscription, type))
        subscription->events->record(subscription->data, record, type);
    else
        bytes_unref(record);
}

static void on_ended(void *data, const struct error *reason)
{
    struct subscription *subscription = data;
    if (draining(subscription))
        return;
    if (reason->code != ERROR_LIMIT) {
        stream_lost(subscription, reason);
        return;
    }
    struct error err = {0};
    error_set(&err, ERROR_LIMIT, "the %s sent an event that is too long (--record-limit): %s",
              protocol_of(subscription)->peer, reason->text);
    cut(subscription, &err);
}

static const struct transport_events transport_events = {
    .accepted = on_accepted,
    .record = on_record,
    .refused = on_refused,
    .ended = on_ended,
};

// ---- the leader ----

// A new leader. Returns true to connect at once, without the jitter that spreads clients after a
// shared failure.
static bool reset_backoff(struct subscription *subscription)
{
    subscription->failures = 0;
    return subscription->failed_try || !subscription->registered;
}

static void on_leader(void *data, const char *master)
{
    struct subscription *subscription = data;
    struct error err = {0};
    if (master != NULL && subscription->master != NULL && strcmp(master, subscription->master) == 0)
        return;
    if (master != NULL && streaming(subscription) && strcmp(master, subscription->target) == 0) {
        log_debug("the leading master is %s, where a redirect had led", master);
        free(subscription->master);
        subscription->master = memory_string(master);
        return;
    }
    bool subscribed = subscription->state == SUBSCRIPTION_SUBSCRIBED;
    bool detected = master != NULL && !subscription->detector->guess;
    bool hurry = detected && !subscribed && reset_backoff(subscription);
    bool waiting = subscription->state == SUBSCRIPTION_WAITING && master != NULL && !hurry;
    if (!waiting)
        quiesce(subscription, master ? SUBSCRIPTION_WAITING : SUBSCRIPTION_DETECTING);
    free(subscription->master);
    free(subscription->redirect);
    subscription->master = memory_string(master);
    subscription->redirect = NULL;
    subscription->redirects = 0;
    if (waiting) {
        log_debug("the next try goes to %s", master);
    } else if (master == NULL) {
        error_set(&err, ERROR_IO, "no master leads");
    } else if (hurry) {
        connect_now(subscription);
    } else {
        error_set(&err, ERROR_IO, "the leading master is now %s", master);
        retry_later(subscription);
    }
    if (subscribed)
        subscription->events->lost(subscription->data, &err);
}

static void on_detector_failed(void *data, const struct error *reason)
{
    fail(data, reason);
}

static const struct detector_events detector_events = {
    .leader = on_leader,
    .failed = on_detector_failed,
};

// ---- functions of the header ----

static void seed(struct subscription *subscription, uint64_t value)
{
    if (value == 0 && getrandom(&value, sizeof value, GRND_NONBLOCK) != sizeof value)
        value = (uintptr_t)subscription ^ loop_now(subscription->loop);
    for (int i = 0; i < 3; i++)
        subscription->random[i] = (unsigned short)(value >> 16 * i);
}

void subscription_init(struct subscription *subscription, struct loop *loop,
                       struct detector *detector, struct transport *transport,
                       const struct subscription_options *options,
                       const struct subscription_events *events, void *data)
{
    *subscription = (struct subscription){
        .loop = loop,
        .detector = detector,
        .transport = transport,
        .options = *options,
        .events = events,
        .data = data,
        .heartbeat = default_heartbeat,
    };
    if (options->protocol == NULL)
        subscription->options.protocol = &subscription_scheduler;
    timer_init(&subscription->retry, loop, on_retry, subscription);
    timer_init(&subscription->watchdog, loop, on_watchdog, subscription);
    detector->events = &detector_events;
    transport->events = &transport_events;
    detector->data = transport->data = subscription;
    seed(subscription, options->seed);
}

void subscription_start(struct subscription *subscription)
{
    free(subscription->master);
    free(subscription->redirect);
    subscription->master = subscription->redirect = NULL;
    subscription->redirects = 0;
    enter(subscription, SUBSCRIPTION_DETECTING);
    detector_start(subscription->detector);
}

void subscription_drain(struct subscription *subscription)
{
    if (!streaming(subscription)) {
        subscription_stop(subscription);
        return;
    }
    timer_stop(&subscription->watchdog);
    detector_stop(subscription->detector);
    enter(subscription, SUBSCRIPTION_DRAINING);
}

void subscription_stop(struct subscription *subscription)
{
    if (subscription->state == SUBSCRIPTION_STOPPED)
        return;
    quiesce(subscription, SUBSCRIPTION_STOPPED);
    detector_stop(subscription->detector);
}

void subscription_pause(struct subscription *subscription, bool paused)
{
    if (!streaming(subscription))
        return;
    transport_pause(subscription->transport, paused);
    if (paused)
        timer_stop(&subscription->watchdog);
    else
        watch(subscription);
}

void subscription_renew(struct subscription *subscription, const struct error *reason)
{
    if (streaming(subscription))
        stream_lost(subscription, reason);
}

void subscription_free(struct subscription *subscription)
{
    free(subscription->master);
    free(subscription->redirect);
    free(subscription->target);
}
