// SPDX-License-Identifier: Apache-2.0
//
// The operations of a driver: see driver.h. While disconnected a launch comes back as an update,
// changes of roles and framework are remembered (driver_framework.c), other calls are dropped and
// counted.

#include "mesos/driver_internal.h"

#include "base/log.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

// ---- life ----

enum driver_status driver_start(struct driver *driver)
{
    if (driver->status != DRIVER_NOT_STARTED)
        return driver->status;
    driver->status = DRIVER_RUNNING;
    subscription_start(&driver->subscription);
    return driver->status;
}

enum driver_status driver_stop(struct driver *driver, bool failover)
{
    if (driver->status != DRIVER_RUNNING)
        return driver->status;
    if (connected(driver))
        calls_flush(&driver->calls);
    if (connected(driver) && !failover)
        calls_send(&driver->calls, CALL_TEARDOWN, (struct slice){.data = NULL});
    driver_end(driver, DRIVER_STOPPED);
    return driver->status;
}

enum driver_status driver_abort(struct driver *driver)
{
    if (driver->status != DRIVER_RUNNING)
        return driver->status;
    if (connected(driver))
        calls_flush(&driver->calls);
    driver_end(driver, DRIVER_ABORTED);
    return driver->status;
}

enum driver_status driver_reconnect(struct driver *driver)
{
    struct error err = {0};
    if (driver->status != DRIVER_RUNNING)
        return driver->status;
    error_set(&err, ERROR_NONE, "reconnecting, as the framework asked");
    enter(driver);
    subscription_renew(&driver->subscription, &err);
    enum driver_status status = driver->status;
    leave(driver);
    return status;
}

// ---- offers ----

// For how many seconds a master holds back what an answer with these filters (data NULL: none)
// leaves of an offer: no less than the time between two of its allocations, unless it is none.
static double filter_seconds(struct slice filters)
{
    const double usual = 5, least = 1, most = 365 * 24 * 3600.0;
    double seconds = usual;
    struct wire wire = wire_open(filters);
    for (struct wire_field it; wire_next(&wire, &it);)
        if (it.number == FIELD_FILTERS_REFUSE_SECONDS && it.type == WIRE_FIXED64)
            memcpy(&seconds, &it.value, sizeof seconds);
    if (!(seconds >= 0))
        seconds = usual;
    if (seconds > 0 && seconds < least)
        return least;
    return seconds < most ? seconds : most;
}

static void note_accepted(struct driver *driver, struct slice accept)
{
    double filter = filter_seconds(wire_find(accept, FIELD_SCHEDULER_CALL_ACCEPT_FILTERS));
    uint64_t now = loop_now(driver->loop);
    for (struct slice id; wire_next_bytes(&accept, FIELD_SCHEDULER_CALL_ACCEPT_OFFER_IDS, &id);)
        offer_history_end(driver->history, wire_text(id), OFFER_END_ACCEPTED, filter, now);
}

// Field `number` of the call's message has the ids.
static void spend_listed(struct offer_table *offers, struct slice message, uint32_t number,
                         const char *why)
{
    for (struct slice id; wire_next_bytes(&message, number, &id);)
        offer_table_spend(offers, wire_text(id), why);
}

static void accept_disconnected(struct driver *driver, struct slice accept)
{
    calls_drop(&driver->calls, CALL_ACCEPT);
    tasks_launch(driver->tasks, accept, false);
    driver_drop_launches(driver, accept, "Master disconnected");
}

enum driver_status driver_accept(struct driver *driver, struct slice accept)
{
    if (driver->status != DRIVER_RUNNING)
        return driver->status;
    if (!connected(driver)) {
        accept_disconnected(driver, accept);
        return driver->status;
    }
    driver->counters.launched += tasks_launch(driver->tasks, accept, true);
    calls_send(&driver->calls, CALL_ACCEPT, accept);
    spend_listed(driver->offers, accept, FIELD_SCHEDULER_CALL_ACCEPT_OFFER_IDS,
                 "was accepted already");
    note_accepted(driver, accept);
    return driver->status;
}

enum driver_status driver_decline(struct driver *driver, struct slice offer_id,
                                  struct slice filters)
{
    if (driver->status != DRIVER_RUNNING)
        return driver->status;
    if (!connected(driver)) {
        calls_drop(&driver->calls, CALL_DECLINE);
        return driver->status;
    }
    buffer_clear(&driver->message);
    if (filters.data != NULL)
        wire_put_bytes(&driver->message, FIELD_SCHEDULER_CALL_DECLINE_FILTERS, filters);
    calls_decline(&driver->calls, offer_id, buffer_slice(&driver->message));
    offer_history_end(driver->history, offer_id, OFFER_END_DECLINED, filter_seconds(filters),
                      loop_now(driver->loop));
    offer_table_spend(driver->offers, offer_id, "was declined already");
    deferral_queue(&driver->turn);
    return driver->status;
}

// ---- acknowledgements ----

static void send_acknowledgement(struct driver *driver, enum call_type type, bool needed,
                                 struct slice id)
{
    if (needed)
        driver_send_or_drop(driver, type, buffer_slice(&driver->message));
    else
        log_debug("the status of %.*s needs no acknowledgement: it has no uuid or no agent",
                  SLICE_ARGS(wire_text(id)));
}

void driver_acknowledge_status(struct driver *driver, const struct task_status *status)
{
    bool needed = acknowledgements_build(status, &driver->message);
    send_acknowledgement(driver, CALL_ACKNOWLEDGE, needed, status->task_id);
}

void driver_acknowledge_operation_status(struct driver *driver, struct slice status)
{
    bool needed = acknowledgements_build_operation(status, &driver->message);
    send_acknowledgement(driver, CALL_ACKNOWLEDGE_OPERATION_STATUS, needed,
                         wire_find(status, FIELD_OPERATION_STATUS_OPERATION_ID));
}

enum driver_status driver_acknowledge(struct driver *driver, struct slice message)
{
    if (driver->status != DRIVER_RUNNING)
        return driver->status;
    struct task_status status = task_status_read(message);
    driver_acknowledge_status(driver, &status);
    return driver->status;
}

enum driver_status driver_acknowledge_operation(struct driver *driver, struct slice status)
{
    if (driver->status != DRIVER_RUNNING)
        return driver->status;
    struct bytes *received = acknowledgements_take(&driver->operation_updates, status);
    if (received != NULL)
        driver_acknowledge_operation_status(driver, slice_of(received));
    else
        log_warning("the status of operation %.*s is not acknowledged: no such status was "
                    "received, or it was acknowledged already",
                    SLICE_ARGS(wire_text(wire_find(status, FIELD_OPERATION_STATUS_OPERATION_ID))));
    bytes_unref(received);
    return driver->status;
}

// ---- other calls ----

enum driver_status driver_call(struct driver *driver, enum call_type type, struct slice message)
{
    if (driver->status != DRIVER_RUNNING)
        return driver->status;
    if (type == CALL_KILL && connected(driver))
        tasks_kill(driver->tasks, message);
    driver_send_or_drop(driver, type, message);
    if (type == CALL_ACCEPT_INVERSE_OFFERS)
        spend_listed(driver->inverse_offers, message,
                     FIELD_SCHEDULER_CALL_ACCEPT_INVERSE_OFFERS_INVERSE_OFFER_IDS,
                     "was accepted already");
    else if (type == CALL_DECLINE_INVERSE_OFFERS)
        spend_listed(driver->inverse_offers, message,
                     FIELD_SCHEDULER_CALL_DECLINE_INVERSE_OFFERS_INVERSE_OFFER_IDS,
                     "was declined already");
    return driver->status;
}

void driver_reregister(struct driver *driver)
{
    driver->reregister = true;
}
