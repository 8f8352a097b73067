// SPDX-License-Identifier: Apache-2.0
//
// The calls of an executor driver, and what the agent's answers mean. An update stays with the
// unacknowledged ones whatever becomes of its call: one that had no answer is sent again, with the
// same uuid, by which the agent knows it.

#include "executor/executor_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include "mesos/v1/executor/executor.pb-c.h"

#include <stdlib.h>
#include <string.h>

#define TYPE(name) MESOS__V1__EXECUTOR__CALL__TYPE__##name

static const double resend_delay = 1;             // seconds
static const double heartbeat_interval = 30 * 60; // that of Mesos's own driver

// A call that was sent, until its answer.
struct executor_call {
    struct executor_driver *driver;
    int32_t type;
    uint8_t uuid[UUID_LENGTH]; // of an UPDATE
};

// ---- one call ----

static const struct {
    const char *name;
    uint32_t field; // of Call, with the message of this type; 0: it has none
} rows[] = {
    [TYPE(SUBSCRIBE)] = {"SUBSCRIBE", FIELD_EXECUTOR_CALL_SUBSCRIBE},
    [TYPE(UPDATE)] = {"UPDATE", FIELD_EXECUTOR_CALL_UPDATE},
    [TYPE(MESSAGE)] = {"MESSAGE", FIELD_EXECUTOR_CALL_MESSAGE},
    [TYPE(HEARTBEAT)] = {"HEARTBEAT", 0},
};

void executor_calls_build(struct executor_driver *driver, struct buffer *call, int32_t type,
                          struct slice message)
{
    const struct executor_environment *environment = driver->environment;
    buffer_clear(call);
    wire_put_id(call, FIELD_EXECUTOR_CALL_EXECUTOR_ID, slice_text(environment->executor_id));
    wire_put_id(call, FIELD_EXECUTOR_CALL_FRAMEWORK_ID, slice_text(environment->framework_id));
    wire_put_varint(call, FIELD_EXECUTOR_CALL_TYPE, (uint64_t)type);
    if (rows[type].field != 0 && message.data != NULL &&
        !wire_put_bytes(call, rows[type].field, message))
        log_error("%s is too large to be sent (%zu bytes)", rows[type].name, message.length);
}

// ---- answers ----

static bool is_live(const struct executor_driver *driver)
{
    return driver->connected && driver->subscription.state == SUBSCRIPTION_SUBSCRIBED;
}

// The update goes along with the next SUBSCRIBE, or again after a while.
static void send_again(struct executor_driver *driver, struct executor_update *update)
{
    update->sent = false;
    if (is_live(driver) && !timer_active(&driver->resend))
        timer_start(&driver->resend, loop_seconds(resend_delay));
}

static void note_refused(const struct executor_call *call, const struct http_reply *reply)
{
    log_error("the agent refused %s (HTTP status %d): %.*s", rows[call->type].name, reply->status,
              SLICE_ARGS(reply->body));
}

// An update that is wrong in itself would be refused each time.
static void update_answered(struct executor_driver *driver, const struct executor_call *call,
                            const struct http_reply *reply)
{
    struct executor_update *update = unacknowledged_find(&driver->unacknowledged, call->uuid);
    if (update == NULL)
        return;
    if (reply->status == 400)
        unacknowledged_drop(&driver->unacknowledged, update);
    else
        send_again(driver, update);
}

static void on_reply(void *data, const struct http_reply *reply)
{
    struct executor_call *call = data;
    struct executor_driver *driver = call->driver;
    bool good = reply->status == 202 || reply->status == 200;
    enter(driver);
    driver->in_flight--;
    if (reply->status == 0)
        log_debug("%s was not answered: %.*s", rows[call->type].name, SLICE_ARGS(reply->body));
    else if (!good)
        note_refused(call, reply);
    if (!good && call->type == TYPE(UPDATE))
        update_answered(driver, call, reply);
    free(call);
    if (!driver->lifetime.ended)
        deferral_queue(&driver->turn);
    leave(driver);
}

// ---- sending ----

static struct executor_call *new_call(struct executor_driver *driver, int32_t type)
{
    struct executor_call *call = memory_new(sizeof *call);
    *call = (struct executor_call){.driver = driver, .type = type};
    return call;
}

static void send(struct executor_call *call, struct slice message)
{
    struct executor_driver *driver = call->driver;
    executor_calls_build(driver, &driver->call, call->type, message);
    driver->in_flight++;
    transport_send(driver->transport, buffer_slice(&driver->call), on_reply, call);
    buffer_shrink(&driver->call);
}

void executor_calls_send(struct executor_driver *driver, int32_t type, struct slice message)
{
    send(new_call(driver, type), message);
}

static void send_update(struct executor_driver *driver, struct executor_update *update)
{
    struct executor_call *call = new_call(driver, TYPE(UPDATE));
    memcpy(call->uuid, update->uuid, UUID_LENGTH);
    buffer_clear(&driver->message);
    wire_put_bytes(&driver->message, FIELD_EXECUTOR_CALL_UPDATE_STATUS, slice_of(update->status));
    update->sent = true;
    send(call, buffer_slice(&driver->message));
}

void executor_calls_updates(struct executor_driver *driver)
{
    struct executor_update *update;
    if (!is_live(driver))
        return;
    TAILQ_FOREACH(update, &driver->unacknowledged.updates, link)
    if (!update->sent)
        send_update(driver, update);
}

// ---- time ----

static void on_resend(void *data)
{
    struct executor_driver *driver = data;
    enter(driver);
    executor_calls_updates(driver);
    leave(driver);
}

static void on_heartbeat(void *data)
{
    struct executor_driver *driver = data;
    enter(driver);
    executor_calls_send(driver, TYPE(HEARTBEAT), (struct slice){.data = NULL});
    timer_start(&driver->heartbeat, loop_seconds(heartbeat_interval));
    leave(driver);
}

void executor_calls_start(struct executor_driver *driver)
{
    timer_start(&driver->heartbeat, loop_seconds(heartbeat_interval));
    executor_calls_updates(driver);
}

void executor_calls_stop(struct executor_driver *driver)
{
    timer_stop(&driver->heartbeat);
    timer_stop(&driver->resend);
    unacknowledged_mark(&driver->unacknowledged, false);
}

void executor_calls_init(struct executor_driver *driver)
{
    timer_init(&driver->resend, driver->loop, on_resend, driver);
    timer_init(&driver->heartbeat, driver->loop, on_heartbeat, driver);
    buffer_init(&driver->call, SIZE_MAX / 2);
    buffer_init(&driver->message, SIZE_MAX / 2);
}
