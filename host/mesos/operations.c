// SPDX-License-Identifier: Apache-2.0
//
// The operations of a driver: see driver.h. While disconnected a launch comes back as an update,
// roles and the framework are remembered (revision.c), and the rest is dropped and counted.

#include "mesos/driver_internal.h"

#include "base/log.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

// ---- life ----

enum driver_status driver_start(struct driver *this)
{
    if (this->status != DRIVER_NOT_STARTED)
        return this->status;
    this->status = DRIVER_RUNNING;
    subscription_start(&this->subscription);
    return this->status;
}

enum driver_status driver_stop(struct driver *this, bool failover)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    if (this->connected)
        outbox_flush(&this->outbox);
    if (this->connected && !failover)
        outbox_send(&this->outbox, CALL_TEARDOWN, (struct slice){.data = NULL});
    driver_end(this, DRIVER_STOPPED);
    return this->status;
}

enum driver_status driver_abort(struct driver *this)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    if (this->connected)
        outbox_flush(&this->outbox);
    driver_end(this, DRIVER_ABORTED);
    return this->status;
}

enum driver_status driver_reconnect(struct driver *this)
{
    struct error err = {0};
    if (this->status != DRIVER_RUNNING)
        return this->status;
    error_set(&err, ERROR_NONE, "reconnecting, as the framework asked");
    enter(this);
    subscription_renew(&this->subscription, &err);
    enum driver_status status = this->status;
    leave(this);
    return status;
}

// ---- offers ----

// Field `number` of the call's message has the ids.
static void spend_listed(struct offer_table *offers, struct slice message, uint32_t number,
                         const char *why)
{
    for (struct slice id; wire_next_bytes(&message, number, &id);)
        offer_table_spend(offers, wire_text(id), why);
}

static void accept_disconnected(struct driver *this, struct slice accept)
{
    outbox_drop(&this->outbox, CALL_ACCEPT);
    tasks_launch(this->tasks, accept, false);
    driver_lose_launches(this, accept, "Master disconnected");
}

enum driver_status driver_accept(struct driver *this, struct slice accept)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    if (!this->connected) {
        accept_disconnected(this, accept);
        return this->status;
    }
    this->counters.launched += tasks_launch(this->tasks, accept, true);
    outbox_send(&this->outbox, CALL_ACCEPT, accept);
    spend_listed(this->offers, accept, FIELD_SCHEDULER_CALL_ACCEPT_OFFER_IDS,
                 "was accepted already");
    return this->status;
}

enum driver_status driver_decline(struct driver *this, struct slice offer_id, struct slice filters)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    if (!this->connected) {
        outbox_drop(&this->outbox, CALL_DECLINE);
        return this->status;
    }
    buffer_clear(&this->message);
    if (filters.data != NULL)
        wire_put_bytes(&this->message, FIELD_SCHEDULER_CALL_DECLINE_FILTERS, filters);
    outbox_decline(&this->outbox, offer_id, buffer_slice(&this->message));
    offer_table_spend(this->offers, offer_id, "was declined already");
    deferral_queue(&this->turn);
    return this->status;
}

// ---- acknowledgements ----

static void send_acknowledgement(struct driver *this, enum call_type type, bool needed,
                                 struct slice id)
{
    if (needed)
        driver_send_or_drop(this, type, buffer_slice(&this->message));
    else
        log_debug("the status of %.*s needs no acknowledgement: it has no uuid or no agent",
                  SLICE_ARGS(wire_text(id)));
}

void driver_acknowledge_status(struct driver *this, const struct status *status)
{
    bool needed = acknowledgements_acknowledge(status, &this->message);
    send_acknowledgement(this, CALL_ACKNOWLEDGE, needed, status->task_id);
}

void driver_acknowledge_operation_status(struct driver *this, struct slice status)
{
    bool needed = acknowledgements_acknowledge_operation(status, &this->message);
    send_acknowledgement(this, CALL_ACKNOWLEDGE_OPERATION_STATUS, needed,
                         wire_find(status, FIELD_OPERATION_STATUS_OPERATION_ID));
}

enum driver_status driver_acknowledge(struct driver *this, struct slice message)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    struct status status = status_read(message);
    driver_acknowledge_status(this, &status);
    return this->status;
}

enum driver_status driver_acknowledge_operation(struct driver *this, struct slice status)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    struct bytes *received = acknowledgements_take(&this->operation_updates, status);
    if (received != NULL)
        driver_acknowledge_operation_status(this, slice_of(received));
    else
        log_warning("the status of operation %.*s is not acknowledged: no such status was "
                    "received, or it was acknowledged already",
                    SLICE_ARGS(wire_text(wire_find(status, FIELD_OPERATION_STATUS_OPERATION_ID))));
    bytes_unref(received);
    return this->status;
}

// ---- the rest ----

enum driver_status driver_call(struct driver *this, enum call_type type, struct slice message)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    if (type == CALL_KILL && this->connected)
        tasks_kill(this->tasks, message);
    driver_send_or_drop(this, type, message);
    if (type == CALL_ACCEPT_INVERSE_OFFERS)
        spend_listed(this->inverse_offers, message,
                     FIELD_SCHEDULER_CALL_ACCEPT_INVERSE_OFFERS_INVERSE_OFFER_IDS,
                     "was accepted already");
    else if (type == CALL_DECLINE_INVERSE_OFFERS)
        spend_listed(this->inverse_offers, message,
                     FIELD_SCHEDULER_CALL_DECLINE_INVERSE_OFFERS_INVERSE_OFFER_IDS,
                     "was declined already");
    return this->status;
}

void driver_reregister(struct driver *this)
{
    this->reregister = true;
}
