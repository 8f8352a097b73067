// SPDX-License-Identifier: Apache-2.0
//
// The way of an executor to its end: because its agent wants it, because its agent is gone, or
// because the process was told to stop.

#include "executor/executor_internal.h"

#include "base/log.h"

static void enter_shutdown(struct executor_driver *driver, enum executor_shutdown_state state)
{
    static const char *const names[] = {"none", "begun", "called"};
    log_debug("shutdown: %s -> %s", names[driver->shutdown], names[state]);
    driver->shutdown = state;
}

void executor_shutdown_begin(struct executor_driver *driver)
{
    const struct executor_event event = {.callback = EXECUTOR_SHUTDOWN};
    if (!running(driver) || driver->shutdown != EXECUTOR_NO_SHUTDOWN)
        return;
    log_info("shutting down, within %g seconds", driver->environment->grace_period);
    enter_shutdown(driver, EXECUTOR_SHUTDOWN_BEGUN);
    timer_start(&driver->grace, loop_seconds(driver->environment->grace_period));
    executor_delivery_push(driver, &event);
    deferral_queue(&driver->turn);
}

void executor_shutdown_called(struct executor_driver *driver)
{
    enter_shutdown(driver, EXECUTOR_SHUTDOWN_CALLED);
    executor_shutdown_try(driver);
}

void executor_shutdown_try(struct executor_driver *driver)
{
    if (running(driver) && driver->shutdown == EXECUTOR_SHUTDOWN_CALLED &&
        driver->unacknowledged.live == 0)
        executor_driver_stop(driver);
}

static void on_grace_over(void *data)
{
    struct executor_driver *driver = data;
    enter(driver);
    log_error("the grace period of %g seconds for the shutdown is over: the executor is killed",
              driver->environment->grace_period);
    driver->listener->expired(driver->data);
    leave(driver);
}

// ---- the agent ----

static void on_recovery_over(void *data)
{
    struct executor_driver *driver = data;
    enter(driver);
    log_error("the agent did not come back within %g seconds (MESOS_RECOVERY_TIMEOUT)",
              driver->environment->recovery);
    subscription_stop(&driver->subscription);
    executor_shutdown_begin(driver);
    executor_delivery_run(driver);
    leave(driver);
}

void executor_shutdown_lost(struct executor_driver *driver)
{
    if (!driver->environment->checkpoint || driver->shutdown != EXECUTOR_NO_SHUTDOWN) {
        subscription_stop(&driver->subscription);
        executor_shutdown_begin(driver);
    } else if (!timer_active(&driver->recovery)) {
        timer_start(&driver->recovery, loop_seconds(driver->environment->recovery));
    }
}

void executor_shutdown_found(struct executor_driver *driver)
{
    timer_stop(&driver->recovery);
}

void executor_shutdown_init(struct executor_driver *driver)
{
    timer_init(&driver->grace, driver->loop, on_grace_over, driver);
    timer_init(&driver->recovery, driver->loop, on_recovery_over, driver);
}
