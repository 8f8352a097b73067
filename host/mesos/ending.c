// SPDX-License-Identifier: Apache-2.0
//
// The end of a driver, and of its memory. It has one way: stop, abort and errors only set the
// status; what was sent before is answered, or given up after a while; then the stream is closed
// and the listener told.

#include "mesos/driver_internal.h"

#include "base/log.h"

#include <stdlib.h>

static const double settle_deadline = 5; // seconds for answers to what was sent before the end

// The subscription stays open for the answers, but what it brings is not looked at any more.
void driver_end(struct driver *this, enum driver_status status)
{
    this->status = status;
    this->connected = false;
    event_queue_clear(&this->delivery.queue);
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
    struct bytes *block = bytes_copy(text.data, text.length);
    driver_end(this, DRIVER_ABORTED);
    event_queue_push_front(&this->delivery.queue,
                           (struct queued){.kind = QUEUED_FATAL, .block = block});
}

void driver_fail(struct driver *this, const char *text)
{
    driver_fail_with(this, slice_text(text));
}

static bool has_ended(const struct driver *this)
{
    return this->status == DRIVER_ABORTED || this->status == DRIVER_STOPPED;
}

void driver_settle(struct driver *this)
{
    const struct delivery *delivery = &this->delivery;
    if (!has_ended(this) || this->finished || this->lifetime.ended)
        return;
    if (delivery->state != DELIVERY_IDLE || !event_queue_empty(&delivery->queue))
        return;
    if (this->outbox.in_flight > 0 && timer_active(&this->deadline))
        return;
    if (this->outbox.in_flight > 0)
        log_warning("%zu call%s had no answer in %g seconds", this->outbox.in_flight,
                    this->outbox.in_flight == 1 ? "" : "s", settle_deadline);
    this->finished = true;
    timer_stop(&this->deadline);
    subscription_stop(&this->subscription);
    log_debug("driver: finished");
    if (this->listener->finished != NULL)
        this->listener->finished(this->data);
}

// The transport answers what it still owes when it goes, which must not release again.
void driver_free(void *driver)
{
    struct driver *this = driver;
    subscription_free(&this->subscription);
    transport_destroy(this->transport);
    detector_destroy(this->detector);
    outbox_free(&this->outbox);
    buffer_free(&this->message);
    revisions_clear(&this->revisions);
    framework_free(&this->framework);
    offer_table_destroy(this->offers);
    offer_table_destroy(this->inverse_offers);
    tasks_destroy(this->tasks);
    acknowledgements_forget(&this->operation_updates);
    bytes_unref(this->master);
    free(this->delivery.batch);
    free(this);
}
