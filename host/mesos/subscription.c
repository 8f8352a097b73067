// SPDX-License-Identifier: Apache-2.0
//
// Being subscribed, and staying so: see subscription.h. All state changes go through enter(), which
// logs them. Of the two timers, `retry` runs while waiting for the next try, `watchdog` while a
// stream is open: first for the answer, then for the first record, then for any record.

#include "mesos/subscription.h"

#include "base/log.h"
#include "base/memory.h"
#include "net/timeouts.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { REDIRECTS_MOST = 5 };

static const double default_heartbeat = 15; // of masters that do not say
static const double grace = 2; // seconds between the watchdog's first bark and its bite

const struct subscription_options subscription_defaults = {
    .backoff_factor = 2,
    .backoff_max = 60,
    .answer_deadline = TIMEOUT_ANSWER,
    .missed_intervals = 5,
};

static void enter(struct subscription *this, enum subscription_state state)
{
    static const char *const names[] = {"stopped",     "detecting",  "waiting", "connecting",
                                        "subscribing", "subscribed", "failed",  "draining"};
    if (this->state == state)
        return;
    log_debug("subscription: %s -> %s", names[this->state], names[state]);
    this->state = state;
}

static bool streaming(const struct subscription *this)
{
    return this->state == SUBSCRIPTION_CONNECTING || this->state == SUBSCRIPTION_SUBSCRIBING ||
           this->state == SUBSCRIPTION_SUBSCRIBED;
}

static bool draining(const struct subscription *this)
{
    return this->state == SUBSCRIPTION_DRAINING;
}

// Waits for the next sign of life, as long as the state of the stream allows.
static void watch(struct subscription *this)
{
    bool subscribed = this->state == SUBSCRIPTION_SUBSCRIBED;
    this->suspicious = false;
    timer_start(&this->watchdog,
                loop_seconds(subscribed ? this->options.missed_intervals * this->heartbeat
                                        : this->options.answer_deadline));
}

// ---- trying again ----

// Full jitter: anything between nothing and the bound, so that a thousand clients of a new leader
// do not arrive together.
static double next_delay(struct subscription *this)
{
    double bound =
        ldexp(this->options.backoff_factor, this->failures < 30 ? (int)this->failures : 30);
    if (bound > this->options.backoff_max)
        bound = this->options.backoff_max;
    this->failures++;
    return bound * erand48(this->random);
}

// Returns in how many seconds.
static double retry_later(struct subscription *this)
{
    double delay = this->redirect ? 0 : next_delay(this);
    timer_start(&this->retry, loop_seconds(delay));
    return delay;
}

// Enters a state without a stream and without timers. It enters it first: closing answers calls,
// and an answer may ask for a new subscription.
static void rest(struct subscription *this, enum subscription_state state)
{
    bool open = streaming(this) || draining(this);
    timer_stop(&this->watchdog);
    timer_stop(&this->retry);
    enter(this, state);
    if (open)
        transport_close(this->transport);
}

static void fail(struct subscription *this, const struct error *reason)
{
    rest(this, SUBSCRIPTION_FAILED);
    detector_stop(this->detector);
    this->events->failed(this->data, reason);
}

static void say_failed(const struct subscription *this, const struct error *reason, double delay)
{
    const char *target = this->target ? this->target : "the master";
    if (this->master != NULL)
        log_warning("cannot subscribe at %s: %s; trying again in %.1f s, retry %u "
                    "(--registration-backoff)",
                    target, reason->text, delay, this->failures);
    else
        log_warning("cannot subscribe at %s: %s; trying again when a master leads", target,
                    reason->text);
}

// The stream, or the try to open one, is over. The state changes before the owner hears of it, so
// that whatever it does then finds a subscription at rest.
static void over(struct subscription *this, const struct error *reason)
{
    bool subscribed = this->state == SUBSCRIPTION_SUBSCRIBED;
    rest(this, this->master ? SUBSCRIPTION_WAITING : SUBSCRIPTION_DETECTING);
    this->redirects = 0;
    this->failed_try = !subscribed;
    detector_retry(this->detector);
    double delay = this->master ? retry_later(this) : 0;
    if (subscribed)
        this->events->lost(this->data, reason);
    else
        say_failed(this, reason, delay);
}

// The stream is over for what the master sent on it.
static void cut(struct subscription *this, const struct error *reason)
{
    bool subscribed = this->state == SUBSCRIPTION_SUBSCRIBED;
    bool soon = loop_now(this->loop) - this->since < loop_seconds(this->heartbeat);
    if (subscribed)
        this->cuts = soon ? this->cuts + 1 : 1;
    if (subscribed && this->cuts > 1)
        this->failures = this->cuts - 1;
    over(this, reason);
}

// ---- the stream ----

static void connect_now(struct subscription *this)
{
    struct buffer call;
    struct error err = {0};
    buffer_init(&call, SIZE_MAX / 2);
    this->events->prepare(this->data, &call);
    free(this->target);
    this->target = this->redirect ? this->redirect : memory_string(this->master);
    this->redirect = NULL;
    enter(this, SUBSCRIPTION_CONNECTING);
    watch(this);
    log_debug("sending SUBSCRIBE to %s", this->target);
    bool opened = transport_open(this->transport, this->target, buffer_slice(&call), &err);
    buffer_free(&call);
    if (!opened)
        over(this, &err);
}

static void on_retry(void *data)
{
    connect_now(data);
}

// A callback that kept the loop busy for minutes must not look like a silent master: the records
// may be in the socket, unread. So the first bark only asks for a little more time.
static void on_watchdog(void *data)
{
    struct subscription *this = data;
    struct error err = {0};
    if (!this->suspicious) {
        timer_start(&this->watchdog, loop_seconds(grace));
        this->suspicious = true;
        return;
    }
    if (this->state == SUBSCRIPTION_CONNECTING)
        error_set(&err, ERROR_IO, "no answer to SUBSCRIBE in %g seconds",
                  this->options.answer_deadline);
    else if (this->state == SUBSCRIPTION_SUBSCRIBING)
        error_set(&err, ERROR_IO, "no SUBSCRIBED event in %g seconds",
                  this->options.answer_deadline);
    else
        error_set(&err, ERROR_IO, "no heartbeat or other event in %g seconds",
                  this->options.missed_intervals * this->heartbeat);
    over(this, &err);
}

static void on_accepted(void *data)
{
    struct subscription *this = data;
    if (draining(this))
        return;
    enter(this, SUBSCRIPTION_SUBSCRIBING);
    watch(this);
}

static bool follow_redirect(struct subscription *this, const char *location)
{
    if (this->redirects >= REDIRECTS_MOST)
        return false;
    log_info("%s is not the leading master; it names %s", this->target, location);
    this->redirect = memory_string(location);
    this->redirects++;
    return true;
}

// 404 and 503 come from masters that start or elect; what else comes may be no master at all, or a
// proxy in front of one that is down. Only a 400 says that this SUBSCRIBE is wrong, and a refused
// credential that was never good will not become so.
static bool is_final(const struct subscription *this, int status)
{
    return status == 400 || ((status == 401 || status == 403) && !this->registered);
}

static void on_refused(void *data, const struct http_reply *reply)
{
    struct subscription *this = data;
    struct error err = {0};
    if (draining(this))
        return;
    if (reply->status == 0)
        error_set(&err, ERROR_IO, "%.*s", SLICE_ARGS(reply->body));
    else if (reply->advice != NULL)
        error_set(&err, ERROR_REFUSED, "%s%s%.*s", reply->advice,
                  reply->body.length ? "; it says: " : "", SLICE_ARGS(reply->body));
    else
        error_set(&err, ERROR_REFUSED, "SUBSCRIBE was answered with HTTP status %d%s%.*s",
                  reply->status, reply->body.length ? ": " : "", SLICE_ARGS(reply->body));
    if (is_final(this, reply->status)) {
        fail(this, &err);
        return;
    }
    if (reply->location != NULL && follow_redirect(this, reply->location)) {
        rest(this, SUBSCRIPTION_WAITING);
        retry_later(this);
        return;
    }
    over(this, &err);
}

static void on_subscribed(struct subscription *this, struct slice event)
{
    struct slice wire = wire_find(event, FIELD_SCHEDULER_EVENT_SUBSCRIBED);
    Mesos__V1__Scheduler__Event__Subscribed *subscribed = (void *)protobuf_c_message_unpack(
        &mesos__v1__scheduler__event__subscribed__descriptor, NULL, wire.length, wire.data);
    double interval = 0;
    if (subscribed != NULL && subscribed->has_heartbeat_interval_seconds)
        interval = subscribed->heartbeat_interval_seconds;
    protobuf_c_message_free_unpacked((ProtobufCMessage *)subscribed, NULL);
    this->heartbeat = interval >= 0.001 && interval < 86400 ? interval : default_heartbeat;
    this->failures = this->redirects = 0;
    this->since = loop_now(this->loop);
    this->registered = true;
    enter(this, SUBSCRIPTION_SUBSCRIBED);
}

// The id goes back in every call, from a struct whose texts end at the first zero byte.
static bool check_subscribed(struct slice event, struct error *err)
{
    enum { FRAMEWORK_ID = 1 };
    struct slice id =
        wire_text(wire_find(wire_find(event, FIELD_SCHEDULER_EVENT_SUBSCRIBED), FRAMEWORK_ID));
    if (id.length == 0 || memchr(id.data, 0, id.length) == NULL)
        return true;
    return error_set(err, ERROR_PROTOCOL,
                     "the master sent a framework id that has a zero byte in it");
}

// The master ends the stream behind an ERROR, and taking a new one would not be right: somebody
// else may have taken the framework over.
static void on_error_event(struct subscription *this)
{
    rest(this, SUBSCRIPTION_FAILED);
    detector_stop(this->detector);
}

static void on_record(void *data, struct bytes *record)
{
    struct subscription *this = data;
    int32_t type = MESOS__V1__SCHEDULER__EVENT__TYPE__UNKNOWN;
    struct error err = {0};
    if (draining(this)) {
        bytes_unref(record);
        return;
    }
    if (!wire_accept(&record, &mesos__v1__scheduler__event__descriptor, &err)) {
        bytes_unref(record);
        error_context(&err, "the master sent an event that is malformed");
        cut(this, &err);
        return;
    }
    struct slice event = slice_of(record);
    wire_find_enum(event, FIELD_SCHEDULER_EVENT_TYPE, &type);
    if (type == MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED && !check_subscribed(event, &err)) {
        bytes_unref(record);
        cut(this, &err);
        return;
    }
    if (type == MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED)
        on_subscribed(this, event);
    watch(this);
    if (type == MESOS__V1__SCHEDULER__EVENT__TYPE__ERROR)
        on_error_event(this);
    else if (this->state != SUBSCRIPTION_SUBSCRIBED ||
             type == MESOS__V1__SCHEDULER__EVENT__TYPE__HEARTBEAT) {
        bytes_unref(record);
        return;
    }
    this->events->record(this->data, record, type);
}

static void on_ended(void *data, const struct error *reason)
{
    struct subscription *this = data;
    if (draining(this))
        return;
    if (reason->code != ERROR_LIMIT) {
        over(this, reason);
        return;
    }
    struct error err = {0};
    error_set(&err, ERROR_LIMIT, "the master sent an event that is too long (--record-limit): %s",
              reason->text);
    cut(this, &err);
}

static const struct transport_events transport_events = {
    .accepted = on_accepted,
    .record = on_record,
    .refused = on_refused,
    .ended = on_ended,
};

// ---- the leader ----

// Somebody leads now who did not before: what failed until now says nothing of him. True if he is
// to be tried at once, and not after a delay that was meant for a leader that all have lost
// together.
static bool begin_anew(struct subscription *this)
{
    this->failures = 0;
    return this->failed_try || !this->registered;
}

static void on_leader(void *data, const char *master)
{
    struct subscription *this = data;
    struct error err = {0};
    if (master != NULL && this->master != NULL && strcmp(master, this->master) == 0)
        return;
    if (master != NULL && streaming(this) && strcmp(master, this->target) == 0) {
        log_debug("the leading master is %s, where a redirect had led", master);
        free(this->master);
        this->master = memory_string(master);
        return;
    }
    bool subscribed = this->state == SUBSCRIPTION_SUBSCRIBED;
    bool detected = master != NULL && !this->detector->guess;
    bool hurry = detected && !subscribed && begin_anew(this);
    bool waiting = this->state == SUBSCRIPTION_WAITING && master != NULL && !hurry;
    if (!waiting)
        rest(this, master ? SUBSCRIPTION_WAITING : SUBSCRIPTION_DETECTING);
    free(this->master);
    free(this->redirect);
    this->master = memory_string(master);
    this->redirect = NULL;
    this->redirects = 0;
    if (waiting) {
        log_debug("the next try goes to %s", master);
    } else if (master == NULL) {
        error_set(&err, ERROR_IO, "no master leads");
    } else if (hurry) {
        connect_now(this);
    } else {
        error_set(&err, ERROR_IO, "the leading master is now %s", master);
        retry_later(this);
    }
    if (subscribed)
        this->events->lost(this->data, &err);
}

static void on_detector_failed(void *data, const struct error *reason)
{
    fail(data, reason);
}

static const struct detector_events detector_events = {
    .leader = on_leader,
    .failed = on_detector_failed,
};

// ---- the face ----

static void seed(struct subscription *this, uint64_t value)
{
    if (value == 0 && getrandom(&value, sizeof value, GRND_NONBLOCK) != sizeof value)
        value = (uintptr_t)this ^ loop_now(this->loop);
    for (int i = 0; i < 3; i++)
        this->random[i] = (unsigned short)(value >> 16 * i);
}

void subscription_init(struct subscription *this, struct loop *loop, struct detector *detector,
                       struct transport *transport, const struct subscription_options *options,
                       const struct subscription_events *events, void *data)
{
    *this = (struct subscription){
        .loop = loop,
        .detector = detector,
        .transport = transport,
        .options = *options,
        .events = events,
        .data = data,
        .heartbeat = default_heartbeat,
    };
    timer_init(&this->retry, loop, on_retry, this);
    timer_init(&this->watchdog, loop, on_watchdog, this);
    detector->events = &detector_events;
    transport->events = &transport_events;
    detector->data = transport->data = this;
    seed(this, options->seed);
}

void subscription_start(struct subscription *this)
{
    free(this->master);
    free(this->redirect);
    this->master = this->redirect = NULL;
    this->redirects = 0;
    enter(this, SUBSCRIPTION_DETECTING);
    detector_start(this->detector);
}

void subscription_drain(struct subscription *this)
{
    if (!streaming(this)) {
        subscription_stop(this);
        return;
    }
    timer_stop(&this->watchdog);
    detector_stop(this->detector);
    enter(this, SUBSCRIPTION_DRAINING);
}

void subscription_stop(struct subscription *this)
{
    if (this->state == SUBSCRIPTION_STOPPED)
        return;
    rest(this, SUBSCRIPTION_STOPPED);
    detector_stop(this->detector);
}

void subscription_pause(struct subscription *this, bool paused)
{
    if (!streaming(this))
        return;
    transport_pause(this->transport, paused);
    if (paused)
        timer_stop(&this->watchdog);
    else
        watch(this);
}

void subscription_renew(struct subscription *this, const struct error *reason)
{
    if (streaming(this))
        over(this, reason);
}

void subscription_free(struct subscription *this)
{
    free(this->master);
    free(this->redirect);
    free(this->target);
}
