// SPDX-License-Identifier: Apache-2.0
//
// Events become callbacks, one at a time and in the order in which the master sent them. How a
// callback ends decides whether an update is acknowledged and where offers go that it left.

#include "mesos/driver_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "mesos/events.h"
#include "offers/offer_fields.h"
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_KEPT = 1024 }; // offers

#define QUEUE_BYTES_MOST (64u << 20)  // waiting events beyond this pause the stream
#define CROWD_BYTES ((size_t)4 << 20) // waiting calls beyond this hold back the events

// ---- delivering events ----

// An offer is of no use from the moment on at which the master takes it back, although the event
// comes in its turn.
static void rescind_at_once(struct driver *this, struct bytes *record)
{
    bool inverse;
    struct slice id;
    if (record != NULL && events_rescind(record, &inverse, &id))
        offer_table_rescind(inverse ? this->inverse_offers : this->offers, id);
}

void driver_enqueue(struct driver *this, struct bytes *record)
{
    rescind_at_once(this, record);
    event_queue_push(&this->queue, record);
    if (this->queue.bytes > QUEUE_BYTES_MOST && !this->paused) {
        log_warning("%s and %zu MiB of events are waiting: reading pauses",
                    this->crowded ? "the master is slow to take calls" : "the script is busy",
                    this->queue.bytes >> 20);
        this->paused = true;
        subscription_pause(&this->subscription, true);
    }
}

static struct bytes *dequeue(struct driver *this)
{
    struct bytes *record = event_queue_pop(&this->queue);
    if (this->paused && this->queue.bytes < QUEUE_BYTES_MOST / 2) {
        log_info("reading goes on");
        this->paused = false;
        subscription_pause(&this->subscription, false);
    }
    return record;
}

static void acknowledge(struct driver *this, enum call_type type, bool needed, struct slice id)
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
    acknowledge(this, CALL_ACKNOWLEDGE, needed, status->task_id);
}

void driver_acknowledge_operation_status(struct driver *this, struct slice status)
{
    bool needed = acknowledgements_acknowledge_operation(status, &this->message);
    acknowledge(this, CALL_ACKNOWLEDGE_OPERATION_STATUS, needed, wire_find(status, 1));
}

// The offers of a resourceOffers that raised go back, so that they come again.
static void return_offers(struct driver *this)
{
    struct slice list = this->current.message, wire;
    while (events_next_offer(&list, &wire)) {
        struct slice id = offer_fields_id(wire);
        const struct offer *offer = offer_table_find(this->offers, id, NULL);
        if (offer != NULL && offer->data == wire.data)
            driver_decline(this, id, (struct slice){.data = NULL});
    }
}

// What driver_repeat() asked for. Offers need no event: they are still outstanding.
static void keep_event(struct driver *this)
{
    this->repeating = false;
    if (this->current.callback == CALLBACK_RESOURCE_OFFERS)
        this->offers_again = true;
    else if (this->current.callback == CALLBACK_INVERSE_OFFERS)
        this->inverse_offers_again = true;
    else if (this->current.callback == CALLBACK_RELOADED)
        this->greeting = true;
    else
        this->has_again = true;
    this->again = this->current;
    if (!this->has_again)
        bytes_unref(this->current.block);
}

static void go_on_as_new(struct driver *this)
{
    log_info("framework %.*s was removed; going on as a new one",
             SLICE_ARGS(framework_id(&this->framework)));
    framework_set_id(&this->framework, slice_text(""));
    revisions_clear(&this->revisions);
    tasks_clear(this->tasks);
    this->registered = false;
    subscription_start(&this->subscription);
}

// What was asked with frameworkRemoved is answered.
static void finish_removed(struct driver *this, bool ok)
{
    if (ok && this->reregister) {
        go_on_as_new(this);
        return;
    }
    driver_fail_with(this, this->current.data);
}

// The list of a large event is not kept for the next one.
static void rest_batch(struct driver *this)
{
    if (this->batch_capacity <= BATCH_KEPT)
        return;
    free(this->batch);
    this->batch = NULL;
    this->batch_capacity = 0;
}

void driver_finish_delivery(struct driver *this, bool ok)
{
    struct bytes *block = this->current.block;
    enum driver_callback callback = this->current.callback;
    this->delivering = false;
    rest_batch(this);
    if (!ok)
        this->counters.failed[callback]++;
    if (this->repeating && running(this) && !ok) {
        keep_event(this);
        return;
    }
    this->repeating = false;
    if (running(this) && ok && !this->explicit_acknowledgements) {
        if (callback == CALLBACK_STATUS_UPDATE)
            driver_acknowledge_status(this, &this->told);
        else if (callback == CALLBACK_OPERATION_STATUS_UPDATE)
            driver_acknowledge_operation_status(this, this->current.message);
    } else if (running(this) && !ok && callback == CALLBACK_RESOURCE_OFFERS) {
        return_offers(this);
    }
    if (running(this) && callback == CALLBACK_FRAMEWORK_REMOVED)
        finish_removed(this, ok);
    bytes_unref(block);
}

// Hands one event to the listener; takes the reference on its block.
static void deliver(struct driver *this, const struct driver_event *event)
{
    if (event != &this->current)
        this->current = *event;
    this->delivering = true;
    this->counters.events[event->callback]++;
    enum driver_outcome outcome = this->listener->callback(this->data, &this->current);
    if (outcome != OUTCOME_PENDING)
        driver_finish_delivery(this, outcome == OUTCOME_DONE);
}

static void collect_offers(struct driver *this, struct offer_table *offers,
                           struct driver_event *event)
{
    struct slice list = event->message, wire;
    if (event->block->taken == 0)
        event->block->taken = loop_now(this->loop);
    while (events_next_offer(&list, &wire)) {
        if (event->count == this->batch_capacity) {
            this->batch_capacity = this->batch_capacity ? 2 * this->batch_capacity : 64;
            this->batch = memory_resize(this->batch, this->batch_capacity * sizeof wire);
        }
        if (offer_table_add(offers, event->block, wire) != NULL)
            this->batch[event->count++] = wire;
    }
    event->offers = this->batch;
}

// False if all of them were rescinded before their turn came.
static bool take_offers(struct driver *this, struct offer_table *offers, struct driver_event *event)
{
    struct slice list = event->message, wire;
    collect_offers(this, offers, event);
    if (event->count > 0 || !events_next_offer(&list, &wire))
        return true;
    log_debug("offers that were rescinded meanwhile are not handed on");
    bytes_unref(event->block);
    return false;
}

static void deliver_subscribed(struct driver *this, struct driver_event *event)
{
    offer_table_spend_all(this->offers, "was made void by a new registration");
    offer_table_spend_all(this->inverse_offers, "was made void by a new registration");
    framework_set_id(&this->framework, event->framework_id);
    revisions_answered(&this->revisions, REVISION_TAKEN);
    if (this->revisions.has_known)
        framework_set_id(&this->revisions.known, event->framework_id);
    bytes_unref(this->master);
    this->master =
        event->message.data ? bytes_copy(event->message.data, event->message.length) : NULL;
    this->connected = true;
    event->callback = this->registered ? CALLBACK_REREGISTERED : CALLBACK_REGISTERED;
    this->registered = true;
    log_info("%s with %s as framework %.*s",
             event->callback == CALLBACK_REGISTERED ? "registered" : "reregistered",
             this->subscription.target, SLICE_ARGS(event->framework_id));
    if (this->outdated)
        driver_send_update_framework(this);
    driver_ask_unsure(this);
    deliver(this, event);
}

static void deliver_disconnected(struct driver *this)
{
    struct driver_event event = {.callback = CALLBACK_DISCONNECTED};
    deliver(this, &event);
}

static void deliver_fatal(struct driver *this)
{
    struct bytes *block = this->fatal;
    this->fatal = NULL;
    struct driver_event event = {
        .callback = CALLBACK_ERROR, .block = block, .data = slice_of(block)};
    deliver(this, &event);
}

static void note_update(struct driver *this, const struct driver_event *event)
{
    this->told = status_read(event->message);
    this->counters.states[task_slot(this->told.state)]++;
    if (tasks_update(this->tasks, &this->told) && this->log_failures)
        failed_tasks_note(&this->failed_tasks, &this->told, event->message);
}

static void deliver_callback(struct driver *this, struct driver_event *event)
{
    if (event->callback == CALLBACK_RESOURCE_OFFERS && !take_offers(this, this->offers, event))
        return;
    if (event->callback == CALLBACK_INVERSE_OFFERS &&
        !take_offers(this, this->inverse_offers, event))
        return;
    if (event->callback == CALLBACK_STATUS_UPDATE)
        note_update(this, event);
    else if (event->callback == CALLBACK_RESOURCE_OFFERS)
        held_offers_watch(&this->held_offers);
    else if (event->callback == CALLBACK_OFFER_RESCINDED)
        offer_table_spend(this->offers, event->offer_id, "was rescinded");
    else if (event->callback == CALLBACK_INVERSE_OFFER_RESCINDED)
        offer_table_spend(this->inverse_offers, event->offer_id, "was rescinded");
    else if (event->callback == CALLBACK_OPERATION_STATUS_UPDATE && this->explicit_acknowledgements)
        acknowledgements_keep(&this->operation_updates, event->message);
    deliver(this, event);
}

// The answer to SUBSCRIBE with the id of a framework whose failover timeout is over, or that was
// torn down.
static bool means_removed(const struct driver *this, struct slice text)
{
    static const char words[] = "Framework has been removed";
    return !this->connected && framework_id(&this->framework).length > 0 &&
           memmem(text.data, text.length, words, sizeof words - 1) != NULL;
}

// An ERROR ended the stream.
static void deliver_error(struct driver *this, struct driver_event *event)
{
    if (means_removed(this, event->data)) {
        event->callback = CALLBACK_FRAMEWORK_REMOVED;
        event->framework_id = framework_id(&this->framework);
        this->reregister = false;
        deliver(this, event);
        return;
    }
    struct bytes *block = event->block;
    if (!driver_resubscribe(this, event->data))
        driver_fail_with(this, event->data);
    bytes_unref(block);
}

// Nothing is delivered now, so that the event can be read to where it stays.
void driver_deliver_record(struct driver *this, struct bytes *record)
{
    struct driver_event *event = &this->current;
    enum event_kind kind = events_read(record, event);
    if (kind == EVENT_SUBSCRIBED) {
        deliver_subscribed(this, event);
    } else if (kind == EVENT_CALLBACK && event->callback == CALLBACK_ERROR) {
        deliver_error(this, event);
    } else if (kind == EVENT_CALLBACK) {
        deliver_callback(this, event);
    } else {
        log_debug("an event of an unknown type, or without its message, was skipped");
        bytes_unref(record);
    }
}

static void deliver_reloaded(struct driver *this)
{
    struct driver_event event = {.callback = CALLBACK_RELOADED};
    this->greeting = false;
    deliver(this, &event);
}

static void deliver_again(struct driver *this)
{
    struct driver_event event = this->again;
    this->has_again = false;
    deliver(this, &event);
}

// All outstanding offers as one event, as if they had just been made.
static void deliver_offers_again(struct driver *this, struct offer_table *offers,
                                 enum driver_callback callback)
{
    struct buffer list;
    if (offer_table_count(offers) == 0)
        return;
    buffer_init(&list, SIZE_MAX);
    for (const struct offer *offer = offer_table_first(offers); offer != NULL; offer = offer->next)
        wire_put_bytes(&list, 1, offer_table_wire(offer));
    struct bytes *block = bytes_copy(list.data, list.length);
    block->taken = offer_table_taken(offer_table_first(offers));
    buffer_free(&list);
    struct driver_event event = {.callback = callback, .block = block, .message = slice_of(block)};
    deliver_callback(this, &event);
}

static void deliver_queued(struct driver *this)
{
    struct bytes *record = dequeue(this);
    if (record != NULL)
        driver_deliver_record(this, record);
    else
        deliver_disconnected(this);
}

// False if nothing waits.
static bool deliver_next(struct driver *this)
{
    if (this->greeting) {
        deliver_reloaded(this);
    } else if (this->has_again) {
        deliver_again(this);
    } else if (this->offers_again) {
        this->offers_again = false;
        deliver_offers_again(this, this->offers, CALLBACK_RESOURCE_OFFERS);
    } else if (this->inverse_offers_again) {
        this->inverse_offers_again = false;
        deliver_offers_again(this, this->inverse_offers, CALLBACK_INVERSE_OFFERS);
    } else if (!event_queue_empty(&this->queue)) {
        deliver_queued(this);
    } else {
        return false;
    }
    return true;
}

// ---- holding back ----

bool driver_holds_back(struct driver *this)
{
    size_t waiting = transport_waiting(this->transport);
    bool crowded = waiting > (this->crowded ? CROWD_BYTES / 2 : CROWD_BYTES);
    if (crowded && !this->crowded)
        log_debug("%zu calls wait for the master: events are held back", this->in_flight);
    this->crowded = crowded;
    return crowded;
}

// The last call that waits has an answer in the end, whatever it is, and nothing waits then.
void driver_note_answer(struct driver *this)
{
    if (this->crowded && !driver_holds_back(this))
        deferral_queue(&this->turn);
}

void driver_pump(struct driver *this)
{
    while (running(this) && !this->delivering && !this->held && !driver_holds_back(this) &&
           deliver_next(this))
        ;
    if (this->fatal != NULL && !this->delivering && !this->held && !this->doomed)
        deliver_fatal(this);
    driver_settle(this);
}

// ---- another version of the listener ----

void driver_hold(struct driver *this)
{
    this->held = true;
}

void driver_release(struct driver *this)
{
    enter(this);
    this->held = false;
    driver_pump(this);
    leave(this);
}

void driver_repeat(struct driver *this)
{
    this->held = true;
    this->repeating = this->delivering;
}

void driver_hand_over(struct driver *this)
{
    this->greeting = this->offers_again = this->inverse_offers_again = running(this);
}

static void add_names(struct roles *roles, char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        roles_add(roles, names[i]);
}

static bool revised_framework(struct driver *this, const struct driver_revision *revision,
                              struct framework *next)
{
    const struct framework *now = &this->framework;
    struct slice info = revision->framework.data ? revision->framework : buffer_slice(&now->wire);
    struct slice constraints = {.data = NULL};
    if (revision->constraints)
        constraints = revision->offer_constraints;
    else if (now->constraints != NULL)
        constraints = slice_of(now->constraints);
    if (!framework_init(next, info, constraints,
                        revision->roles ? revision->suppressed_roles : NULL))
        return false;
    if (!revision->roles)
        add_names(&next->suppressed, now->suppressed.names, now->suppressed.count);
    if (framework_id(now).length > 0)
        framework_set_id(next, framework_id(now));
    framework_set_principal(next, now->info->principal);
    return true;
}

void driver_revise(struct driver *this, const struct driver_revision *revision)
{
    struct framework next;
    this->explicit_acknowledgements = revision->explicit_acknowledgements;
    if (revision->framework.data == NULL && !revision->roles && !revision->constraints)
        return;
    if (!revised_framework(this, revision, &next)) {
        log_error("the framework stays as it was: its new FrameworkInfo is malformed or larger "
                  "than 64 MiB");
        return;
    }
    framework_free(&this->framework);
    this->framework = next;
    if (this->connected)
        driver_send_update_framework(this);
    else
        this->outdated = true;
}
