// SPDX-License-Identifier: Apache-2.0
//
// The end of an executor driver, and of its memory. Stop, abort and errors only set the status; the
// driver waits for the answers to its calls and, unless it was aborted, for the acknowledgements of
// its updates: up to a deadline that runs while the agent is there, and otherwise as long as the
// agent may come back.

#include "executor/executor_internal.h"

#include "base/log.h"

#include <stdlib.h>

static const double end_deadline = 5; // seconds

static bool has_ended(const struct executor_driver *driver)
{
    return driver->status == DRIVER_ABORTED || driver->status == DRIVER_STOPPED;
}

// The subscription stays, for answers and acknowledgements; other events are ignored.
void executor_end(struct executor_driver *driver, enum driver_status status)
{
    driver->status = status;
    executor_delivery_clear(driver);
    timer_stop(&driver->grace);
    timer_start(&driver->deadline, loop_seconds(end_deadline));
    executor_end_connected(driver, driver->connected);
    deferral_queue(&driver->turn);
}

void executor_end_connected(struct executor_driver *driver, bool connected)
{
    if (!has_ended(driver))
        return;
    if (connected || !timer_active(&driver->recovery))
        timer_start(&driver->deadline, loop_seconds(end_deadline));
    else
        timer_stop(&driver->deadline);
}

static bool may_come_back(const struct executor_driver *driver)
{
    enum subscription_state state = driver->subscription.state;
    return state != SUBSCRIPTION_STOPPED && state != SUBSCRIPTION_FAILED;
}

static bool is_awaited(const struct executor_driver *driver)
{
    if (!timer_active(&driver->deadline) && !timer_active(&driver->recovery))
        return false;
    bool updates = driver->status == DRIVER_STOPPED && driver->registered &&
                   unacknowledged_waits(&driver->unacknowledged) && may_come_back(driver);
    return driver->in_flight > 0 || updates;
}

void executor_end_try(struct executor_driver *driver)
{
    if (!has_ended(driver) || driver->finished || driver->lifetime.ended)
        return;
    if (driver->delivering || driver->events.count > 0 || is_awaited(driver))
        return;
    if (driver->status == DRIVER_STOPPED && unacknowledged_waits(&driver->unacknowledged))
        log_warning("the agent has not acknowledged the last updates, and may not have them");
    driver->finished = true;
    timer_stop(&driver->deadline);
    timer_stop(&driver->recovery);
    executor_calls_stop(driver);
    subscription_stop(&driver->subscription);
    log_debug("executor driver: finished");
    if (driver->listener->finished != NULL)
        driver->listener->finished(driver->data);
}

// The transport answers the calls in flight when it is destroyed, which must not release again.
void executor_end_free(void *data)
{
    struct executor_driver *driver = data;
    subscription_free(&driver->subscription);
    transport_destroy(driver->transport);
    detector_destroy(driver->detector);
    executor_delivery_clear(driver);
    unacknowledged_free(&driver->unacknowledged);
    buffer_free(&driver->call);
    buffer_free(&driver->message);
    free(driver);
}
