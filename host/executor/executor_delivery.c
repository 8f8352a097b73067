// SPDX-License-Identifier: Apache-2.0
//
// Events become callbacks, one at a time and in the order in which the agent sent them.
// Acknowledgements are taken as they come, since no callback is told.

#include "executor/executor_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <stdlib.h>

#define QUEUE_BYTES_MOST (64u << 20) // waiting events beyond this pause the stream

struct waiting_event {
    struct queue_item item;
    struct executor_event event;
};

// ---- the queue ----

void executor_delivery_push(struct executor_driver *driver, const struct executor_event *event)
{
    struct waiting_event *waiting = memory_new(sizeof *waiting);
    waiting->event = *event;
    if (event->block != NULL)
        bytes_ref(event->block);
    waiting->item.weight = queue_weight(sizeof *waiting, event->block);
    queue_push(&driver->events, &waiting->item);
    if (driver->events.bytes > QUEUE_BYTES_MOST && !driver->paused) {
        driver->paused = true;
        subscription_pause(&driver->subscription, true);
    }
}

// The reference on its block goes to the caller.
static struct executor_event pop(struct executor_driver *driver)
{
    struct waiting_event *waiting = queue_pop(&driver->events);
    struct executor_event event = waiting->event;
    free(waiting);
    return event;
}

void executor_delivery_clear(struct executor_driver *driver)
{
    while (driver->events.count > 0)
        bytes_unref(pop(driver).block);
}

// ---- callbacks ----

static void finish_callback(struct executor_driver *driver)
{
    struct bytes *block = driver->current.block;
    bool shut_down = driver->current.callback == EXECUTOR_SHUTDOWN;
    driver->delivering = false;
    driver->current = (struct executor_event){.block = NULL};
    bytes_unref(block);
    if (shut_down && running(driver))
        executor_shutdown_called(driver);
}

void executor_driver_callback_finished(struct executor_driver *driver)
{
    enter(driver);
    finish_callback(driver);
    executor_delivery_run(driver);
    leave(driver);
}

static void deliver(struct executor_driver *driver)
{
    driver->current = pop(driver);
    driver->delivering = true;
    if (driver->paused && driver->events.bytes < QUEUE_BYTES_MOST / 2) {
        driver->paused = false;
        subscription_pause(&driver->subscription, false);
    }
    if (driver->listener->callback(driver->data, &driver->current) != OUTCOME_PENDING)
        finish_callback(driver);
}

void executor_delivery_run(struct executor_driver *driver)
{
    while (driver->events.count > 0 && !driver->delivering && !driver->lifetime.ended)
        deliver(driver);
    executor_end_try(driver);
}

// ---- events ----

static void log_registration(const struct executor_driver *driver, enum executor_callback callback)
{
    const struct executor_environment *environment = driver->environment;
    const char *at = environment->socket ? environment->socket : driver->subscription.target;
    bool tells = callback == EXECUTOR_REGISTERED && environment->sandbox != NULL;
    log_info("%s with the agent at %s as executor %s of framework %s%s%s",
             callback == EXECUTOR_REGISTERED ? "registered" : "reregistered", at,
             environment->executor_id, environment->framework_id, tells ? "; the sandbox is " : "",
             tells ? environment->sandbox : "");
}

static void receive_subscribed(struct executor_driver *driver, struct executor_event *event)
{
    event->callback = driver->registered ? EXECUTOR_REREGISTERED : EXECUTOR_REGISTERED;
    driver->registered = driver->connected = true;
    log_registration(driver, event->callback);
    executor_shutdown_found(driver);
    executor_calls_start(driver);
    executor_end_connected(driver, true);
}

static void receive_acknowledged(struct executor_driver *driver, const struct executor_event *event)
{
    if (!unacknowledged_take(&driver->unacknowledged, event->task_id, event->data))
        log_debug("an acknowledgement for task %.*s, of which no such update waits",
                  SLICE_ARGS(event->task_id));
}

// True if it is new to us, and so is to be started.
static bool take_task(struct executor_driver *driver, struct bytes *block, struct slice task)
{
    if (unacknowledged_launch(&driver->unacknowledged, block, task))
        return true;
    log_warning("task %.*s was launched already, and is not launched again",
                SLICE_ARGS(wire_text(wire_find(task, FIELD_TASK_INFO_TASK_ID))));
    return false;
}

static void receive_group(struct executor_driver *driver, const struct executor_event *event)
{
    struct slice rest = event->message;
    struct executor_event each = {.callback = EXECUTOR_LAUNCH_TASK, .block = event->block};
    bool fresh = false;
    while (executor_events_next_task(&rest, &each.message)) {
        bool taken = take_task(driver, event->block, each.message);
        fresh = fresh || taken;
        if (taken && !driver->groups)
            executor_delivery_push(driver, &each);
    }
    if (fresh && driver->groups)
        executor_delivery_push(driver, event);
}

static void receive_callback(struct executor_driver *driver, struct executor_event *event)
{
    switch (event->callback) {
    case EXECUTOR_ERROR: {
        char *text = memory_text((const char *)event->data.data, event->data.length);
        executor_driver_fail(driver, text);
        free(text);
        break;
    }
    case EXECUTOR_SHUTDOWN:
        executor_shutdown_begin(driver);
        break;
    case EXECUTOR_LAUNCH_TASK:
        if (take_task(driver, event->block, event->message))
            executor_delivery_push(driver, event);
        break;
    case EXECUTOR_LAUNCH_GROUP:
        receive_group(driver, event);
        break;
    default:
        executor_delivery_push(driver, event);
    }
}

// Whatever the driver is at: it is the subscription that matters.
static bool is_for_us(struct executor_driver *driver, struct executor_event *event,
                      enum executor_event_kind kind)
{
    if (kind == EXECUTOR_EVENT_ACKNOWLEDGED)
        receive_acknowledged(driver, event);
    else if (kind == EXECUTOR_EVENT_CALLBACK && event->callback == EXECUTOR_REGISTERED)
        receive_subscribed(driver, event);
    else if (kind == EXECUTOR_EVENT_IGNORED)
        log_debug("an event of an unknown type, or without its message, was skipped");
    return kind == EXECUTOR_EVENT_CALLBACK && running(driver) &&
           driver->shutdown == EXECUTOR_NO_SHUTDOWN;
}

void executor_delivery_receive(void *data, struct bytes *record, int32_t type)
{
    struct executor_driver *driver = data;
    struct executor_event event;
    enter(driver);
    enum executor_event_kind kind = executor_events_read(record, type, &event);
    if (is_for_us(driver, &event, kind))
        receive_callback(driver, &event);
    bytes_unref(record);
    executor_delivery_run(driver);
    leave(driver);
}
