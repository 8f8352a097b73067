// SPDX-License-Identifier: Apache-2.0
//
// The executor driver: see executor_driver.h. Here is its life, its state, and what the
// subscription brings beside the events.

#include "executor/executor_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "wire/field_numbers.h"

#include "mesos/v1/executor/executor.pb-c.h"

#include <stdlib.h>

static const double registration_timeout = 60; // seconds; an agent does not wait longer either

// An agent that is shutting the executor down says only that, and ends the stream.
static const struct subscription_protocol protocol = {
    .peer = "agent",
    .hint = "",
    .event = &mesos__v1__executor__event__descriptor,
    .type_field = FIELD_EXECUTOR_EVENT_TYPE,
    .subscribed = MESOS__V1__EXECUTOR__EVENT__TYPE__SUBSCRIBED,
    .heartbeat = MESOS__V1__EXECUTOR__EVENT__TYPE__HEARTBEAT,
    .error = MESOS__V1__EXECUTOR__EVENT__TYPE__ERROR,
    .unannounced = MESOS__V1__EXECUTOR__EVENT__TYPE__SHUTDOWN,
};

// ---- events of the subscription ----

// All that waits goes along, and counts as sent.
static void on_prepare(void *data, struct buffer *call)
{
    struct executor_driver *driver = data;
    struct buffer *message = &driver->message;
    buffer_clear(message);
    if (!unacknowledged_write(&driver->unacknowledged, message))
        log_error("the unacknowledged tasks and updates do not all fit into a SUBSCRIBE");
    executor_calls_build(driver, call, MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE,
                         message->data ? buffer_slice(message) : slice_text(""));
    unacknowledged_mark(&driver->unacknowledged, true);
}

static void on_lost(void *data, const struct error *reason)
{
    struct executor_driver *driver = data;
    const struct executor_event event = {.callback = EXECUTOR_DISCONNECTED};
    enter(driver);
    log_warning("disconnected: %s", reason->text);
    driver->connected = false;
    executor_calls_stop(driver);
    if (running(driver) && driver->shutdown == EXECUTOR_NO_SHUTDOWN)
        executor_delivery_push(driver, &event);
    executor_shutdown_lost(driver);
    executor_end_connected(driver, false);
    deferral_queue(&driver->turn);
    leave(driver);
}

static void on_failed(void *data, const struct error *reason)
{
    struct executor_driver *driver = data;
    struct error err = *reason;
    enter(driver);
    driver->connected = false;
    executor_calls_stop(driver);
    timer_stop(&driver->recovery);
    error_context(&err, "cannot subscribe at %s", driver->environment->endpoint);
    if (driver->shutdown == EXECUTOR_NO_SHUTDOWN)
        executor_driver_fail(driver, err.text);
    else
        log_warning("%s", err.text);
    executor_delivery_run(driver);
    leave(driver);
}

// An agent that answers is about to be ready; one that cannot be reached comes back only if it was
// told to find its executors again.
static bool on_go_on(void *data, const struct error *reason)
{
    struct executor_driver *driver = data;
    bool checkpoint = driver->environment->checkpoint;
    if (driver->shutdown != EXECUTOR_NO_SHUTDOWN || (!checkpoint && reason->code != ERROR_REFUSED))
        return false;
    if (!timer_active(&driver->recovery))
        timer_start(&driver->recovery, loop_seconds(checkpoint ? driver->environment->recovery
                                                               : registration_timeout));
    return true;
}

static const struct subscription_events subscription_events = {
    .prepare = on_prepare,
    .record = executor_delivery_receive,
    .lost = on_lost,
    .failed = on_failed,
    .go_on = on_go_on,
};

// ---- the loop ----

static void on_deadline(void *data)
{
    struct executor_driver *driver = data;
    enter(driver);
    executor_end_try(driver);
    leave(driver);
}

static void on_turn(void *data)
{
    struct executor_driver *driver = data;
    enter(driver);
    executor_delivery_run(driver);
    leave(driver);
}

// ---- its state ----

enum driver_status executor_driver_status(const struct executor_driver *driver)
{
    return driver->status;
}

bool executor_driver_finished(const struct executor_driver *driver)
{
    return driver->finished || driver->status == DRIVER_NOT_STARTED;
}

// ---- life ----

// The delays are those of Mesos's own driver: any time up to the largest one.
static void init_subscription(struct executor_driver *driver, uint64_t seed)
{
    struct subscription_options options = subscription_defaults;
    options.backoff_factor = options.backoff_max = driver->environment->backoff_max;
    options.missed_intervals = 0;
    options.seed = seed;
    options.protocol = &protocol;
    subscription_init(&driver->subscription, driver->loop, driver->detector, driver->transport,
                      &options, &subscription_events, driver);
}

struct executor_driver *executor_driver_create(struct loop *loop,
                                               const struct executor_driver_options *options,
                                               const struct executor_listener *listener, void *data,
                                               struct error *err)
{
    const struct detector_options agent = {.tls = options->tls};
    struct detector *detector =
        detector_create_with(options->environment->endpoint, &agent, loop, err);
    if (detector == NULL) {
        transport_destroy(options->transport);
        error_context(err, "MESOS_AGENT_ENDPOINT");
        return NULL;
    }
    struct executor_driver *driver = memory_new(sizeof *driver);
    driver->loop = loop;
    driver->environment = options->environment;
    driver->listener = listener;
    driver->data = data;
    driver->detector = detector;
    driver->transport = options->transport;
    driver->groups = options->groups;
    driver->status = DRIVER_NOT_STARTED;
    unacknowledged_init(&driver->unacknowledged);
    queue_init(&driver->events);
    executor_calls_init(driver);
    executor_shutdown_init(driver);
    deferral_init(&driver->turn, loop, on_turn, driver);
    timer_init(&driver->deadline, loop, on_deadline, driver);
    init_subscription(driver, options->seed);
    return driver;
}

// Inside a callback its event is freed at the callback's end.
void executor_driver_destroy(struct executor_driver *driver)
{
    if (driver == NULL || !lifetime_end(&driver->lifetime))
        return;
    struct timer *timers[] = {&driver->recovery, &driver->grace, &driver->deadline, &driver->resend,
                              &driver->heartbeat};
    for (size_t i = 0; i < sizeof timers / sizeof *timers; i++)
        timer_stop(timers[i]);
    deferral_cancel(&driver->turn);
    executor_delivery_clear(driver);
    subscription_stop(&driver->subscription);
    if (driver->delivering && driver->lifetime.holds == 1)
        bytes_unref(driver->current.block);
    leave(driver);
}
