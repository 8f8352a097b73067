// SPDX-License-Identifier: Apache-2.0
//
// Events become callbacks, one at a time and in the order in which the master sent them. Only the
// end of a callback decides whether an update is acknowledged and what happens to the offers.

#include "mesos/driver_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "mesos/events.h"
#include "offers/offer_fields.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_KEPT = 1024 }; // offers; a larger list is freed after its event

#define QUEUE_BYTES_MOST (64u << 20)         // waiting events beyond this pause the stream
#define BACKPRESSURE_BYTES ((size_t)4 << 20) // waiting calls beyond this hold back the events

// All changes of the state pass here. The two that each callback makes are not logged.
static void enter_delivery(struct driver *driver, enum delivery_state state)
{
    struct delivery *delivery = &driver->delivery;
    if (state == DELIVERY_REPEATING)
        log_debug("driver: the event of callback %s comes again if that fails",
                  events_callback_name(delivery->current.callback));
    delivery->state = state;
}

// ---- back-pressure ----

static void set_paused(struct driver *driver, bool paused)
{
    struct delivery *delivery = &driver->delivery;
    if (paused)
        log_warning("%s and %zu MiB of events are waiting: reading pauses",
                    delivery->backpressured ? "the master is slow to take calls"
                                            : "the script is busy",
                    delivery->queue.events.bytes >> 20);
    else
        log_info("reading goes on");
    delivery->paused = paused;
    subscription_pause(&driver->subscription, paused);
}

// True if events have to wait because too many calls wait for the master.
static bool is_backpressured(struct driver *driver)
{
    struct delivery *delivery = &driver->delivery;
    size_t waiting = transport_waiting(driver->transport);
    bool backpressured =
        waiting > (delivery->backpressured ? BACKPRESSURE_BYTES / 2 : BACKPRESSURE_BYTES);
    if (backpressured && !delivery->backpressured)
        log_debug("%zu calls wait for the master: events are held back", driver->calls.in_flight);
    delivery->backpressured = backpressured;
    return backpressured;
}

static bool may_deliver(struct driver *driver)
{
    const struct delivery *delivery = &driver->delivery;
    if (delivery->state != DELIVERY_IDLE || delivery->held || driver->lifetime.ended)
        return false;
    return !running(driver) || !is_backpressured(driver);
}

// ---- the end of a callback ----

// Declines the offers of a resourceOffers that raised, so that they are offered again.
static void return_offers(struct driver *driver)
{
    struct slice list = driver->delivery.current.message, wire;
    while (events_next_offer(&list, &wire)) {
        struct slice id = offer_fields_id(wire);
        const struct offer *offer = offer_table_find(driver->offers, id, NULL);
        if (offer != NULL && offer->data == wire.data)
            driver_decline(driver, id, (struct slice){.data = NULL});
    }
}

// Queues the event that driver_repeat() asked for. Offers need no copy of it: they are outstanding.
static void repeat_event(struct driver *driver)
{
    struct delivery *delivery = &driver->delivery;
    static const enum queued_kind kinds[CALLBACKS] = {
        [CALLBACK_RESOURCE_OFFERS] = QUEUED_OFFERS,
        [CALLBACK_INVERSE_OFFERS] = QUEUED_INVERSE_OFFERS,
        [CALLBACK_RELOADED] = QUEUED_RELOADED,
    };
    struct queued event = {.kind = kinds[delivery->current.callback]};
    if (event.kind == 0) {
        delivery->repeated = delivery->current;
        event = (struct queued){.kind = QUEUED_REPEATED, .block = delivery->current.block};
    } else {
        bytes_unref(delivery->current.block);
    }
    event_queue_push_front(&delivery->queue, event);
}

static void reregister_as_new(struct driver *driver)
{
    log_info("framework %.*s was removed; going on as a new one",
             SLICE_ARGS(framework_id(&driver->framework)));
    framework_set_id(&driver->framework, slice_text(""));
    revisions_clear(&driver->revisions);
    tasks_clear(driver->tasks);
    driver->registration = REGISTRATION_NONE;
    subscription_start(&driver->subscription);
}

// The end of frameworkRemoved: see driver_reregister().
static void finish_removed(struct driver *driver, bool ok)
{
    if (ok && driver->reregister)
        reregister_as_new(driver);
    else
        driver_fail_with(driver, driver->delivery.current.data);
}

static void acknowledge(struct driver *driver, const struct driver_event *event)
{
    if (driver->explicit_acknowledgements)
        return;
    if (event->callback == CALLBACK_STATUS_UPDATE)
        driver_acknowledge_status(driver, &driver->delivery.last_status);
    else if (event->callback == CALLBACK_OPERATION_STATUS_UPDATE)
        driver_acknowledge_operation_status(driver, event->message);
}

// Frees the list of offers if it has grown large.
static void shrink_batch(struct delivery *delivery)
{
    if (delivery->batch_capacity <= BATCH_KEPT)
        return;
    free(delivery->batch);
    delivery->batch = NULL;
    delivery->batch_capacity = 0;
}

static void finish_callback(struct driver *driver, bool ok)
{
    struct delivery *delivery = &driver->delivery;
    const struct driver_event *event = &delivery->current;
    bool repeats = delivery->state == DELIVERY_REPEATING && running(driver) && !ok;
    enter_delivery(driver, DELIVERY_IDLE);
    shrink_batch(delivery);
    if (!ok)
        driver->counters.failed[event->callback]++;
    if (repeats) {
        repeat_event(driver);
        return;
    }
    struct bytes *block = event->block;
    if (running(driver) && ok)
        acknowledge(driver, event);
    else if (running(driver) && event->callback == CALLBACK_RESOURCE_OFFERS)
        return_offers(driver);
    if (running(driver) && event->callback == CALLBACK_FRAMEWORK_REMOVED)
        finish_removed(driver, ok);
    bytes_unref(block);
}

void driver_callback_finished(struct driver *driver, bool ok)
{
    enter(driver);
    finish_callback(driver, ok);
    driver_deliver(driver);
    leave(driver);
}

// ---- one event ----

// Hands the event to the listener; takes the reference on its block.
static void call_back(struct driver *driver, const struct driver_event *event)
{
    struct delivery *delivery = &driver->delivery;
    if (event != &delivery->current)
        delivery->current = *event;
    enter_delivery(driver, DELIVERY_DELIVERING);
    driver->counters.events[event->callback]++;
    enum driver_outcome outcome = driver->listener->callback(driver->data, &delivery->current);
    if (outcome != OUTCOME_PENDING)
        finish_callback(driver, outcome == OUTCOME_DONE);
}

static void collect_offers(struct driver *driver, struct offer_table *offers,
                           struct driver_event *event)
{
    struct delivery *delivery = &driver->delivery;
    struct slice list = event->message, wire;
    size_t count = 0;
    if (event->block->held_since == 0) {
        event->block->held_since = loop_now(driver->loop);
        if (offers == driver->offers)
            offer_history_add(driver->history, event->block, list, event->block->held_since);
    }
    while (events_next_offer(&list, &wire)) {
        if (count == delivery->batch_capacity) {
            delivery->batch_capacity = delivery->batch_capacity ? 2 * delivery->batch_capacity : 64;
            delivery->batch =
                memory_resize(delivery->batch, delivery->batch_capacity * sizeof wire);
        }
        delivery->batch[count++] = wire;
    }
    event->count = offer_table_add(offers, event->block, delivery->batch, count);
    event->offers = delivery->batch;
}

// False if all of them were rescinded before their turn came.
static bool take_offers(struct driver *driver, struct offer_table *offers,
                        struct driver_event *event)
{
    struct slice list = event->message, wire;
    collect_offers(driver, offers, event);
    if (event->count > 0 || !events_next_offer(&list, &wire))
        return true;
    log_debug("offers that were rescinded meanwhile are not handed on");
    bytes_unref(event->block);
    return false;
}

static void note_status(struct driver *driver, const struct driver_event *event)
{
    struct task_status *status = &driver->delivery.last_status;
    *status = task_status_read(event->message);
    driver->counters.states[task_slot(status->state)]++;
    if (tasks_update(driver->tasks, status) && driver->log_failures)
        failed_tasks_note(&driver->failed_tasks, status, event->message);
}

static void rescind(struct driver *driver, struct slice id)
{
    offer_table_spend(driver->offers, id, "was rescinded");
    offer_history_end(driver->history, id, OFFER_END_RESCINDED, 0, loop_now(driver->loop));
}

static void deliver_event(struct driver *driver, struct driver_event *event)
{
    if (event->callback == CALLBACK_RESOURCE_OFFERS && !take_offers(driver, driver->offers, event))
        return;
    if (event->callback == CALLBACK_INVERSE_OFFERS &&
        !take_offers(driver, driver->inverse_offers, event))
        return;
    if (event->callback == CALLBACK_STATUS_UPDATE)
        note_status(driver, event);
    else if (event->callback == CALLBACK_RESOURCE_OFFERS)
        held_offers_watch(&driver->held_offers);
    else if (event->callback == CALLBACK_OFFER_RESCINDED)
        rescind(driver, event->offer_id);
    else if (event->callback == CALLBACK_SLAVE_LOST)
        offer_history_lose(driver->history, event->agent_id);
    else if (event->callback == CALLBACK_INVERSE_OFFER_RESCINDED)
        offer_table_spend(driver->inverse_offers, event->offer_id, "was rescinded");
    else if (event->callback == CALLBACK_OPERATION_STATUS_UPDATE &&
             driver->explicit_acknowledgements)
        acknowledgements_keep(&driver->operation_updates, event->message);
    call_back(driver, event);
}

static void deliver_subscribed(struct driver *driver, struct driver_event *event)
{
    offer_table_spend_all(driver->offers, "was made void by a new registration");
    offer_table_spend_all(driver->inverse_offers, "was made void by a new registration");
    offer_history_void(driver->history, loop_now(driver->loop));
    framework_set_id(&driver->framework, event->framework_id);
    revisions_answered(&driver->revisions, REVISION_ACCEPTED);
    if (driver->revisions.has_known)
        framework_set_id(&driver->revisions.known, event->framework_id);
    bytes_unref(driver->master);
    driver->master =
        event->message.data ? bytes_copy(event->message.data, event->message.length) : NULL;
    event->callback =
        driver->registration == REGISTRATION_NONE ? CALLBACK_REGISTERED : CALLBACK_REREGISTERED;
    driver->registration = REGISTRATION_CURRENT;
    log_info("%s with %s as framework %.*s",
             event->callback == CALLBACK_REGISTERED ? "registered" : "reregistered",
             driver->subscription.target, SLICE_ARGS(event->framework_id));
    if (driver->outdated)
        driver_send_revision(driver);
    driver_reconcile_uncertain(driver);
    call_back(driver, event);
}

// True if this is the master's answer to SUBSCRIBE with the id of a framework that was torn down,
// or whose failover timeout has passed.
static bool means_removed(const struct driver *driver, struct slice text)
{
    static const char words[] = "Framework has been removed";
    return !connected(driver) && framework_id(&driver->framework).length > 0 &&
           memmem(text.data, text.length, words, sizeof words - 1) != NULL;
}

// An ERROR ended the stream.
static void deliver_error(struct driver *driver, struct driver_event *event)
{
    if (means_removed(driver, event->data)) {
        event->callback = CALLBACK_FRAMEWORK_REMOVED;
        event->framework_id = framework_id(&driver->framework);
        driver->reregister = false;
        call_back(driver, event);
        return;
    }
    struct bytes *block = event->block;
    if (!driver_resubscribe(driver, event->data))
        driver_fail_with(driver, event->data);
    bytes_unref(block);
}

// No callback runs, so the event is read into `current` itself.
static void deliver_record(struct driver *driver, struct bytes *record, int32_t type)
{
    struct driver_event *event = &driver->delivery.current;
    enum event_kind kind = events_read(record, type, event);
    if (kind == EVENT_SUBSCRIBED) {
        deliver_subscribed(driver, event);
    } else if (kind == EVENT_CALLBACK && event->callback == CALLBACK_ERROR) {
        deliver_error(driver, event);
    } else if (kind == EVENT_CALLBACK) {
        deliver_event(driver, event);
    } else {
        log_debug("an event of an unknown type, or without its message, was skipped");
        bytes_unref(record);
    }
}

// ---- one of the queue ----

static void deliver_fatal(struct driver *driver, struct bytes *block)
{
    struct driver_event event = {
        .callback = CALLBACK_ERROR, .block = block, .data = slice_of(block)};
    call_back(driver, &event);
}

static void deliver_own(struct driver *driver, enum driver_callback callback)
{
    struct driver_event event = {.callback = callback};
    call_back(driver, &event);
}

static void deliver_submission(struct driver *driver, struct bytes *block)
{
    struct driver_event event = {
        .callback = CALLBACK_SUBMIT, .block = block, .data = slice_of(block)};
    call_back(driver, &event);
}

static void deliver_repeated(struct driver *driver)
{
    struct driver_event event = driver->delivery.repeated;
    call_back(driver, &event);
}

// All outstanding offers as one event, as if they had just been made.
static void deliver_offers_again(struct driver *driver, struct offer_table *offers,
                                 enum driver_callback callback)
{
    struct buffer list;
    if (offer_table_count(offers) == 0)
        return;
    buffer_init(&list, SIZE_MAX);
    for (const struct offer *offer = offer_table_first(offers); offer != NULL;
         offer = offer_table_next(offer))
        wire_put_bytes(&list, FIELD_SCHEDULER_EVENT_OFFERS_OFFERS, offer_table_wire(offer));
    struct bytes *block = bytes_copy(list.data, list.length);
    block->held_since = offer_table_arrival(offer_table_first(offers));
    buffer_free(&list);
    struct driver_event event = {.callback = callback, .block = block, .message = slice_of(block)};
    deliver_event(driver, &event);
}

static void deliver_queued(struct driver *driver)
{
    struct delivery *delivery = &driver->delivery;
    struct queued event = event_queue_pop(&delivery->queue);
    if (delivery->paused && delivery->queue.events.bytes < QUEUE_BYTES_MOST / 2)
        set_paused(driver, false);
    switch (event.kind) {
    case QUEUED_FATAL:
        deliver_fatal(driver, event.block);
        break;
    case QUEUED_RELOADED:
        deliver_own(driver, CALLBACK_RELOADED);
        break;
    case QUEUED_REPEATED:
        deliver_repeated(driver);
        break;
    case QUEUED_OFFERS:
        deliver_offers_again(driver, driver->offers, CALLBACK_RESOURCE_OFFERS);
        break;
    case QUEUED_INVERSE_OFFERS:
        deliver_offers_again(driver, driver->inverse_offers, CALLBACK_INVERSE_OFFERS);
        break;
    case QUEUED_DISCONNECTED:
        deliver_own(driver, CALLBACK_DISCONNECTED);
        break;
    case QUEUED_RECORD:
        deliver_record(driver, event.block, event.type);
        break;
    case QUEUED_SUBMISSION:
        deliver_submission(driver, event.block);
        break;
    }
}

// ---- receiving ----

void driver_deliver(struct driver *driver)
{
    while (!event_queue_empty(&driver->delivery.queue) && may_deliver(driver))
        deliver_queued(driver);
    driver_try_finish(driver);
}

// A rescinded offer cannot be used any more, although the event is delivered in its turn.
static void rescind_at_once(struct driver *driver, const struct bytes *record, int32_t type)
{
    bool inverse;
    struct slice id;
    if (events_rescind(record, type, &inverse, &id))
        offer_table_rescind(inverse ? driver->inverse_offers : driver->offers, id);
}

static void enqueue(struct driver *driver, struct bytes *record, int32_t type)
{
    struct delivery *delivery = &driver->delivery;
    rescind_at_once(driver, record, type);
    event_queue_push(&delivery->queue,
                     (struct queued){.kind = QUEUED_RECORD, .type = type, .block = record});
    if (delivery->queue.events.bytes > QUEUE_BYTES_MOST && !delivery->paused)
        set_paused(driver, true);
}

void driver_receive(void *data, struct bytes *record, int32_t type)
{
    struct driver *driver = data;
    enter(driver);
    if (!running(driver))
        bytes_unref(record);
    else if (event_queue_empty(&driver->delivery.queue) && may_deliver(driver))
        deliver_record(driver, record, type);
    else
        enqueue(driver, record, type);
    driver_deliver(driver);
    leave(driver);
}

bool driver_submit(struct driver *driver, struct bytes *block)
{
    if (!running(driver)) {
        bytes_unref(block);
        return false;
    }
    enter(driver);
    event_queue_push(&driver->delivery.queue,
                     (struct queued){.kind = QUEUED_SUBMISSION, .block = block});
    driver_deliver(driver);
    leave(driver);
    return true;
}

void driver_stream_lost(struct driver *driver)
{
    struct delivery *delivery = &driver->delivery;
    event_queue_drop_stale(&delivery->queue);
    delivery->paused = false;
    if (connected(driver))
        event_queue_push(&delivery->queue, (struct queued){.kind = QUEUED_DISCONNECTED});
}

// ---- another version of the listener ----

void driver_hold(struct driver *driver)
{
    driver->delivery.held = true;
}

void driver_release(struct driver *driver)
{
    enter(driver);
    driver->delivery.held = false;
    driver_deliver(driver);
    leave(driver);
}

void driver_repeat(struct driver *driver)
{
    driver->delivery.held = true;
    if (driver->delivery.state == DELIVERY_DELIVERING)
        enter_delivery(driver, DELIVERY_REPEATING);
}

void driver_hand_over(struct driver *driver)
{
    struct event_queue *queue = &driver->delivery.queue;
    if (!running(driver))
        return;
    event_queue_push_front(queue, (struct queued){.kind = QUEUED_RELOADED});
    event_queue_push_front(queue, (struct queued){.kind = QUEUED_OFFERS});
    event_queue_push_front(queue, (struct queued){.kind = QUEUED_INVERSE_OFFERS});
}

// ---- life ----

void driver_delivery_init(struct driver *driver)
{
    driver->delivery.state = DELIVERY_IDLE;
    event_queue_init(&driver->delivery.queue);
}

// Inside a callback the event is freed at its end, which sees that the driver is destroyed.
void driver_delivery_end(struct driver *driver)
{
    struct delivery *delivery = &driver->delivery;
    event_queue_clear(&delivery->queue);
    if (delivery->state == DELIVERY_IDLE || driver->lifetime.holds > 1)
        return;
    enter_delivery(driver, DELIVERY_IDLE);
    bytes_unref(delivery->current.block);
}
