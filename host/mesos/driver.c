// SPDX-License-Identifier: Apache-2.0
//
// The scheduler driver: see driver.h. Two ways cross in it: events come from the subscription and
// go up to the listener (delivery.c); calls come from the listener and go down to the transport
// (operations.c, outbox.c). Here is its life, its state, and what the subscription brings.

#include "mesos/driver_internal.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

const char *driver_status_name(enum driver_status status)
{
    static const char *const names[] = {"", "DRIVER_NOT_STARTED", "DRIVER_RUNNING",
                                        "DRIVER_ABORTED", "DRIVER_STOPPED"};
    return names[status];
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
    this->outbox.counters.calls[CALL_SUBSCRIBE]++;
    this->outdated = false;
}

static void on_record(void *data, struct bytes *record, int32_t type)
{
    struct driver *this = data;
    enter(this);
    driver_receive(this, record, type);
    leave(this);
}

// It may have been lost by driver_reconnect(), within which nobody expects a callback.
static void on_lost(void *data, const struct error *reason)
{
    struct driver *this = data;
    enter(this);
    log_warning("disconnected: %s", reason->text);
    outbox_forget(&this->outbox);
    offer_table_spend_all(this->offers, "was made void when the master was lost");
    offer_table_spend_all(this->inverse_offers, "was made void when the master was lost");
    driver_lose_stream(this);
    this->connected = false;
    deferral_queue(&this->turn);
    leave(this);
}

static void on_failed(void *data, const struct error *reason)
{
    struct driver *this = data;
    enter(this);
    if (reason->code != ERROR_REFUSED || !driver_resubscribe(this, slice_text(reason->text)))
        driver_fail(this, reason->text);
    driver_deliver(this);
    leave(this);
}

static const struct subscription_events subscription_events = {
    .prepare = on_prepare,
    .record = on_record,
    .lost = on_lost,
    .failed = on_failed,
};

// ---- the loop ----

static void on_deadline(void *data)
{
    struct driver *this = data;
    enter(this);
    driver_settle(this);
    leave(this);
}

static void on_turn(void *data)
{
    struct driver *this = data;
    enter(this);
    if (running(this))
        outbox_log_unanswered(&this->outbox);
    if (this->connected)
        outbox_flush(&this->outbox);
    driver_deliver(this);
    leave(this);
}

// ---- its state ----

enum driver_status driver_status(const struct driver *this)
{
    return this->status;
}

bool driver_finished(const struct driver *this)
{
    return this->finished || this->status == DRIVER_NOT_STARTED;
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
    return this->delivery.queue.events.count;
}

size_t driver_calls_waiting(const struct driver *this)
{
    return this->outbox.in_flight;
}

bool driver_crowded(const struct driver *this)
{
    return this->delivery.crowded;
}

bool driver_full(const struct driver *this)
{
    return transport_waiting(this->transport) >= DRIVER_CALL_BYTES_MOST;
}

const struct driver_counters *driver_counters(const struct driver *this)
{
    return &this->counters;
}

const struct call_counters *driver_call_counters(const struct driver *this)
{
    return &this->outbox.counters;
}

// ---- life ----

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
    buffer_init(&this->message, OUTBOX_CALL_BYTES_MOST);
    driver_delivery_init(this);
    outbox_init(&this->outbox, this->transport, &this->framework, &driver_outbox_events, this);
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
    if (this == NULL || !lifetime_end(&this->lifetime))
        return;
    held_offers_stop(&this->held_offers);
    failed_tasks_stop(&this->failed_tasks);
    timer_stop(&this->deadline);
    deferral_cancel(&this->turn);
    driver_delivery_end(this);
    subscription_stop(&this->subscription);
    leave(this);
}
