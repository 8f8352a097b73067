// SPDX-License-Identifier: Apache-2.0
//
// The scheduler driver: see driver.h. Events come from the subscription and go up to the listener
// (delivery.c); calls come from the listener and go down to the transport
// (driver_operations.c, calls.c). Here is its life, its state, and what the subscription brings.

#include "mesos/driver_internal.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

// ---- events of the subscription ----

// A short failover timeout lowers the cap of the backoff, so that the framework is back in time.
static void limit_backoff(struct driver *driver)
{
    const double least = 0.5;
    double timeout = driver->framework.info->failover_timeout, limit = timeout / 10;
    driver->subscription.options.backoff_max = driver->backoff_max;
    if (timeout > 0 && limit < driver->backoff_max)
        driver->subscription.options.backoff_max = limit > least ? limit : least;
}

static void on_prepare(void *data, struct buffer *call)
{
    struct driver *driver = data;
    limit_backoff(driver);
    framework_set_principal(&driver->framework, transport_principal(driver->transport));
    revisions_drop_sent(&driver->revisions);
    revisions_sent(&driver->revisions, &driver->framework);
    framework_write(&driver->framework, &driver->message);
    calls_build(call, CALL_SUBSCRIBE, framework_id(&driver->framework),
                buffer_slice(&driver->message));
    driver->calls.counters.sent[CALL_SUBSCRIBE]++;
    driver->outdated = false;
}

// This may be inside driver_reconnect(), where no callback is expected: it comes with the turn.
static void on_lost(void *data, const struct error *reason)
{
    struct driver *driver = data;
    enter(driver);
    log_warning("disconnected: %s", reason->text);
    calls_forget(&driver->calls);
    offer_table_spend_all(driver->offers, "was made void when the master was lost");
    offer_table_spend_all(driver->inverse_offers, "was made void when the master was lost");
    offer_history_void(driver->history, loop_now(driver->loop));
    driver_stream_lost(driver);
    disconnect(driver);
    deferral_queue(&driver->turn);
    leave(driver);
}

static void on_failed(void *data, const struct error *reason)
{
    struct driver *driver = data;
    enter(driver);
    if (reason->code != ERROR_REFUSED || !driver_resubscribe(driver, slice_text(reason->text)))
        driver_fail(driver, reason->text);
    driver_deliver(driver);
    leave(driver);
}

static const struct subscription_events subscription_events = {
    .prepare = on_prepare,
    .record = driver_receive,
    .lost = on_lost,
    .failed = on_failed,
};

// ---- the loop ----

static void on_deadline(void *data)
{
    struct driver *driver = data;
    enter(driver);
    driver_try_finish(driver);
    leave(driver);
}

static void on_turn(void *data)
{
    struct driver *driver = data;
    enter(driver);
    if (running(driver))
        calls_log_unanswered(&driver->calls);
    if (connected(driver))
        calls_flush(&driver->calls);
    driver_deliver(driver);
    leave(driver);
}

// ---- its state ----

enum driver_status driver_status(const struct driver *driver)
{
    return driver->status;
}

bool driver_finished(const struct driver *driver)
{
    return driver->finished || driver->status == DRIVER_NOT_STARTED;
}

bool driver_connected(const struct driver *driver)
{
    return connected(driver);
}

bool driver_torn_down(const struct driver *driver)
{
    return driver->torn_down;
}

struct slice driver_framework(const struct driver *driver)
{
    return buffer_slice(&driver->framework.wire);
}

struct slice driver_framework_id(const struct driver *driver)
{
    return framework_id(&driver->framework);
}

struct slice driver_master(const struct driver *driver)
{
    return driver->master ? slice_of(driver->master) : (struct slice){.data = NULL};
}

struct offer_table *driver_offers(struct driver *driver)
{
    return driver->offers;
}

struct offer_table *driver_inverse_offers(struct driver *driver)
{
    return driver->inverse_offers;
}

const struct tasks *driver_tasks(const struct driver *driver)
{
    return driver->tasks;
}

size_t driver_events_waiting(const struct driver *driver)
{
    return driver->delivery.queue.events.count;
}

size_t driver_calls_waiting(const struct driver *driver)
{
    return driver->calls.in_flight;
}

bool driver_backpressured(const struct driver *driver)
{
    return driver->delivery.backpressured;
}

bool driver_full(const struct driver *driver)
{
    return transport_waiting(driver->transport) >= DRIVER_CALL_BYTES_MOST;
}

const struct driver_counters *driver_counters(const struct driver *driver)
{
    return &driver->counters;
}

const struct call_counters *driver_call_counters(const struct driver *driver)
{
    return &driver->calls.counters;
}

// ---- life ----

struct driver *driver_create(struct loop *loop, const struct driver_options *options,
                             const struct driver_listener *listener, void *data, struct error *err)
{
    struct driver *driver = memory_new(sizeof *driver);
    if (!framework_init(&driver->framework, options->framework, options->offer_constraints,
                        options->suppressed_roles)) {
        transport_destroy(options->transport);
        detector_destroy(options->detector);
        free(driver);
        error_set(err, ERROR_INVALID, "the FrameworkInfo is malformed or larger than 64 MiB");
        return NULL;
    }
    driver->loop = loop;
    driver->listener = listener;
    driver->data = data;
    driver->status = DRIVER_NOT_STARTED;
    driver->explicit_acknowledgements = options->explicit_acknowledgements;
    driver->detector = options->detector;
    driver->transport = options->transport;
    driver->offers = offer_table_create();
    driver->inverse_offers = offer_table_create();
    driver->history = offer_history_create(LOOP_SECOND, loop_now(loop));
    driver->tasks = tasks_create(loop, options->task_limit);
    held_offers_init(&driver->held_offers, loop, driver->offers, options->offer_warn);
    failed_tasks_init(&driver->failed_tasks, loop);
    driver->log_failures = options->log_failures;
    revisions_init(&driver->revisions);
    buffer_init(&driver->message, CALL_BYTES_MOST);
    driver_delivery_init(driver);
    calls_init(&driver->calls, driver->transport, &driver->framework, &driver_calls_events, driver);
    if (options->framework_id.length > 0)
        framework_set_id(&driver->framework, options->framework_id);
    deferral_init(&driver->turn, loop, on_turn, driver);
    timer_init(&driver->deadline, loop, on_deadline, driver);
    driver->backoff_max = options->subscription.backoff_max;
    subscription_init(&driver->subscription, loop, driver->detector, driver->transport,
                      &options->subscription, &subscription_events, driver);
    return driver;
}

void driver_destroy(struct driver *driver)
{
    if (driver == NULL || !lifetime_end(&driver->lifetime))
        return;
    held_offers_stop(&driver->held_offers);
    failed_tasks_stop(&driver->failed_tasks);
    timer_stop(&driver->deadline);
    deferral_cancel(&driver->turn);
    driver_delivery_end(driver);
    task_output_end_all(driver);
    subscription_stop(&driver->subscription);
    leave(driver);
}
