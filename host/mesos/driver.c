// SPDX-License-Identifier: Apache-2.0
//
// The scheduler driver: see driver.h. Two queues meet in it. Events wait in `queue` until the
// callback before them is over; calls go to the transport at once, but for declines, which are
// gathered in `declines`.
//
// The end has one road: stop and abort only set the status; driver_settle() sees to it that what
// was sent before is answered (or given up after a while), closes the stream, and tells the
// listener.

#include "mesos/driver_internal.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define CALL_BYTES_MOST (256u << 20)
static const double settle_deadline = 5; // seconds for answers to what was sent before the end

const char *driver_status_name(enum driver_status status)
{
    static const char *const names[] = {"", "DRIVER_NOT_STARTED", "DRIVER_RUNNING",
                                        "DRIVER_ABORTED", "DRIVER_STOPPED"};
    return names[status];
}

const char *events_callback_name(enum driver_callback callback)
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
    revisions_drop_sent(&this->revisions);
    revisions_sent(&this->revisions, &this->framework);
    framework_write(&this->framework, &this->message);
    call_build(call, CALL_SUBSCRIBE, framework_id(&this->framework), buffer_slice(&this->message));
    this->counters.calls[CALL_SUBSCRIBE]++;
    this->outdated = false;
}

// Is nothing ahead of an event that has just come?
static bool at_leisure(struct driver *this)
{
    bool repeats =
        this->greeting || this->has_again || this->offers_again || this->inverse_offers_again;
    return !this->delivering && !this->held && !repeats && event_queue_empty(&this->queue) &&
           !driver_holds_back(this);
}

static void on_record(void *data, struct bytes *record)
{
    struct driver *this = data;
    enter(this);
    if (!running(this))
        bytes_unref(record);
    else if (at_leisure(this))
        driver_deliver_record(this, record);
    else
        driver_enqueue(this, record);
    driver_pump(this);
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
    offer_table_spend_all(this->offers, "was made void when the master was lost");
    offer_table_spend_all(this->inverse_offers, "was made void when the master was lost");
    if (this->connected)
        driver_enqueue(this, NULL);
    this->connected = false;
    deferral_queue(&this->turn);
    leave(this);
}

// A SUBSCRIBE that was refused may have been so for what the framework has changed since the master
// took it: then it goes on as what the master took. False if that is not so.
bool driver_resubscribe(struct driver *this, struct slice reason)
{
    if (!running(this) || this->connected || !revisions_differ(&this->revisions, &this->framework))
        return false;
    log_warning("the master refused the framework as it was changed, which goes on as the master "
                "knows it: %.*s",
                SLICE_ARGS(reason));
    revisions_go_back(&this->revisions, &this->framework);
    subscription_start(&this->subscription);
    return true;
}

static void on_failed(void *data, const struct error *reason)
{
    struct driver *this = data;
    enter(this);
    if (reason->code != ERROR_REFUSED || !driver_resubscribe(this, slice_text(reason->text)))
        driver_fail(this, reason->text);
    driver_pump(this);
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
void driver_settle(struct driver *this)
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
    driver_settle(this);
    leave(this);
}

static void on_turn(void *data)
{
    struct driver *this = data;
    enter(this);
    driver_tell_unanswered(this);
    if (this->connected)
        driver_flush_declines(this);
    driver_pump(this);
    leave(this);
}

// From here on only what was called before happens. The subscription stays open for the answers,
// but what it brings is not looked at any more.
void driver_end(struct driver *this, enum driver_status status)
{
    this->status = status;
    this->connected = false;
    event_queue_clear(&this->queue);
    drop_again(this);
    this->greeting = this->offers_again = this->inverse_offers_again = false;
    held_offers_stop(&this->held_offers);
    failed_tasks_stop(&this->failed_tasks);
    subscription_drain(&this->subscription);
    timer_start(&this->deadline, loop_seconds(settle_deadline));
    deferral_queue(&this->turn);
}

void driver_fail_with(struct driver *this, struct slice text)
{
    if (this->status != DRIVER_RUNNING)
        return;
    this->fatal = bytes_copy(text.data, text.length);
    driver_end(this, DRIVER_ABORTED);
}

void driver_fail(struct driver *this, const char *text)
{
    driver_fail_with(this, slice_text(text));
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

struct offer_table *driver_offers(struct driver *this)
{
    return this->offers;
}

struct offer_table *driver_inverse_offers(struct driver *this)
{
    return this->inverse_offers;
}

const struct tasks *driver_tasks(const struct driver *this)
{
    return this->tasks;
}

size_t driver_events_waiting(const struct driver *this)
{
    return this->queue.count;
}

size_t driver_calls_waiting(const struct driver *this)
{
    return this->in_flight;
}

bool driver_crowded(const struct driver *this)
{
    return this->crowded;
}

bool driver_full(const struct driver *this)
{
    return transport_waiting(this->transport) >= DRIVER_CALL_BYTES_MOST;
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
void driver_free(struct driver *this)
{
    enter(this);
    subscription_free(&this->subscription);
    transport_destroy(this->transport);
    detector_destroy(this->detector);
    free_buffers(this);
    revisions_clear(&this->revisions);
    framework_free(&this->framework);
    offer_table_destroy(this->offers);
    offer_table_destroy(this->inverse_offers);
    tasks_destroy(this->tasks);
    acknowledgements_forget(&this->operation_updates);
    bytes_unref(this->master);
    free(this->batch);
    bytes_unref(this->fatal);
    free(this);
}

struct driver *driver_create(struct loop *loop, const struct driver_options *options,
                             const struct driver_listener *listener, void *data, struct error *err)
{
    struct driver *this = memory_new(sizeof *this);
    if (!framework_init(&this->framework, options->framework, options->offer_constraints,
                        options->suppressed_roles)) {
        transport_destroy(options->transport);
        detector_destroy(options->detector);
        free(this);
        error_set(err, ERROR_INVALID, "the FrameworkInfo is malformed or larger than 64 MiB");
        return NULL;
    }
    this->loop = loop;
    this->listener = listener;
    this->data = data;
    this->status = DRIVER_NOT_STARTED;
    this->explicit_acknowledgements = options->explicit_acknowledgements;
    this->detector = options->detector;
    this->transport = options->transport;
    this->offers = offer_table_create();
    this->inverse_offers = offer_table_create();
    this->tasks = tasks_create(loop, options->task_limit);
    held_offers_init(&this->held_offers, loop, this->offers, options->offer_warn);
    failed_tasks_init(&this->failed_tasks, loop);
    this->log_failures = options->log_failures;
    revisions_init(&this->revisions);
    event_queue_init(&this->queue);
    init_buffers(this);
    for (int i = 0; i < CALL_TYPES; i++)
        this->slots[i] = (struct answer_slot){.driver = this, .type = (enum call_type)i};
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
    held_offers_stop(&this->held_offers);
    failed_tasks_stop(&this->failed_tasks);
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
