// SPDX-License-Identifier: Apache-2.0
//
// The end of a driver, and of its memory. Stop, abort and errors only set the status; the driver
// waits, up to a deadline, for the answers to what was sent before; then it closes the stream and
// calls the listener's `finished`.

#include "mesos/driver_internal.h"

#include "base/log.h"

#include <stdlib.h>

static const double end_deadline = 5; // seconds for the answers to calls in flight

// The subscription stays open for the answers; its events are ignored.
void driver_end(struct driver *driver, enum driver_status status)
{
    driver->status = status;
    disconnect(driver);
    event_queue_clear(&driver->delivery.queue);
    held_offers_stop(&driver->held_offers);
    failed_tasks_stop(&driver->failed_tasks);
    subscription_drain(&driver->subscription);
    timer_start(&driver->deadline, loop_seconds(end_deadline));
    deferral_queue(&driver->turn);
}

void driver_fail_with(struct driver *driver, struct slice text)
{
    if (driver->status != DRIVER_RUNNING)
        return;
    struct bytes *block = bytes_copy(text.data, text.length);
    driver_end(driver, DRIVER_ABORTED);
    event_queue_push_front(&driver->delivery.queue,
                           (struct queued){.kind = QUEUED_FATAL, .block = block});
}

void driver_fail(struct driver *driver, const char *text)
{
    driver_fail_with(driver, slice_text(text));
}

static bool has_ended(const struct driver *driver)
{
    return driver->status == DRIVER_ABORTED || driver->status == DRIVER_STOPPED;
}

void driver_try_finish(struct driver *driver)
{
    const struct delivery *delivery = &driver->delivery;
    if (!has_ended(driver) || driver->finished || driver->lifetime.ended)
        return;
    if (delivery->state != DELIVERY_IDLE || !event_queue_empty(&delivery->queue))
        return;
    if (driver->calls.in_flight > 0 && timer_active(&driver->deadline))
        return;
    if (driver->calls.in_flight > 0)
        log_warning("%zu call%s had no answer in %g seconds", driver->calls.in_flight,
                    driver->calls.in_flight == 1 ? "" : "s", end_deadline);
    driver->finished = true;
    timer_stop(&driver->deadline);
    subscription_stop(&driver->subscription);
    log_debug("driver: finished");
    if (driver->listener->finished != NULL)
        driver->listener->finished(driver->data);
}

// The transport answers the calls in flight when it is destroyed, which must not release again.
void driver_free(void *data)
{
    struct driver *driver = data;
    subscription_free(&driver->subscription);
    transport_destroy(driver->transport);
    detector_destroy(driver->detector);
    calls_free(&driver->calls);
    buffer_free(&driver->message);
    revisions_clear(&driver->revisions);
    framework_free(&driver->framework);
    offer_history_destroy(driver->history);
    offer_table_destroy(driver->offers);
    offer_table_destroy(driver->inverse_offers);
    tasks_destroy(driver->tasks);
    acknowledgements_forget(&driver->operation_updates);
    bytes_unref(driver->master);
    free(driver->delivery.batch);
    free(driver);
}
