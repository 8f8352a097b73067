// SPDX-License-Identifier: Apache-2.0
//
// Events as callbacks with arguments: see events.h. One row for each type of event.

#include "mesos/events.h"

#include "wire/field_numbers.h"
#include "wire/wire.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

#define TYPE(name) MESOS__V1__SCHEDULER__EVENT__TYPE__##name

struct event_row {
    uint32_t field; // of Event, with the message of this type; 0: we do not know the type
    enum driver_callback callback;
    void (*read)(struct slice message, struct driver_event *event);
    bool outlives_stream;
};

static struct slice id_of(struct slice message, uint32_t field)
{
    return wire_text(wire_find(message, field));
}

static void read_subscribed(struct slice message, struct driver_event *event)
{
    event->framework_id = id_of(message, FIELD_SCHEDULER_EVENT_SUBSCRIBED_FRAMEWORK_ID);
    event->message = wire_find(message, FIELD_SCHEDULER_EVENT_SUBSCRIBED_MASTER_INFO);
}

static void read_offers(struct slice message, struct driver_event *event)
{
    event->message = message;
}

static void read_rescind(struct slice message, struct driver_event *event)
{
    event->offer_id = id_of(message, FIELD_SCHEDULER_EVENT_RESCIND_OFFER_ID);
}

static void read_rescind_inverse(struct slice message, struct driver_event *event)
{
    event->offer_id = id_of(message, FIELD_SCHEDULER_EVENT_RESCIND_INVERSE_OFFER_INVERSE_OFFER_ID);
}

static void read_status(struct slice message, struct driver_event *event)
{
    event->message = wire_find(message, FIELD_SCHEDULER_EVENT_UPDATE_STATUS);
}

static void read_operation_status(struct slice message, struct driver_event *event)
{
    event->message = wire_find(message, FIELD_SCHEDULER_EVENT_UPDATE_OPERATION_STATUS_STATUS);
}

static void read_message(struct slice message, struct driver_event *event)
{
    event->agent_id = id_of(message, FIELD_SCHEDULER_EVENT_MESSAGE_AGENT_ID);
    event->executor_id = id_of(message, FIELD_SCHEDULER_EVENT_MESSAGE_EXECUTOR_ID);
    event->data = wire_find(message, FIELD_SCHEDULER_EVENT_MESSAGE_DATA);
}

// With an executor it is the executor that failed, without one the whole agent.
static void read_failure(struct slice message, struct driver_event *event)
{
    uint64_t status = 0;
    wire_find_varint(message, FIELD_SCHEDULER_EVENT_FAILURE_STATUS, &status);
    event->agent_id = id_of(message, FIELD_SCHEDULER_EVENT_FAILURE_AGENT_ID);
    event->executor_id = id_of(message, FIELD_SCHEDULER_EVENT_FAILURE_EXECUTOR_ID);
    event->status = (int32_t)status;
    if (event->executor_id.data != NULL)
        event->callback = CALLBACK_EXECUTOR_LOST;
}

static void read_error(struct slice message, struct driver_event *event)
{
    event->data = wire_find(message, FIELD_SCHEDULER_EVENT_ERROR_MESSAGE);
}

#define ROW(name, ...) [TYPE(name)] = {FIELD_SCHEDULER_EVENT_##name, __VA_ARGS__}

static const struct event_row rows[] = {
    ROW(SUBSCRIBED, CALLBACK_REGISTERED, read_subscribed, false),
    ROW(OFFERS, CALLBACK_RESOURCE_OFFERS, read_offers, false),
    ROW(RESCIND, CALLBACK_OFFER_RESCINDED, read_rescind, false),
    ROW(UPDATE, CALLBACK_STATUS_UPDATE, read_status, true),
    ROW(MESSAGE, CALLBACK_FRAMEWORK_MESSAGE, read_message, true),
    ROW(FAILURE, CALLBACK_SLAVE_LOST, read_failure, true),
    ROW(ERROR, CALLBACK_ERROR, read_error, true),
    ROW(INVERSE_OFFERS, CALLBACK_INVERSE_OFFERS, read_offers, false),
    ROW(RESCIND_INVERSE_OFFER, CALLBACK_INVERSE_OFFER_RESCINDED, read_rescind_inverse, false),
    ROW(UPDATE_OPERATION_STATUS, CALLBACK_OPERATION_STATUS_UPDATE, read_operation_status, true),
};

static const struct event_row *row_of(int32_t type)
{
    if (type < 0 || (size_t)type >= sizeof rows / sizeof *rows || rows[type].field == 0)
        return NULL;
    return &rows[type];
}

enum event_kind events_read(struct bytes *record, int32_t type, struct driver_event *event)
{
    *event = (struct driver_event){.block = record};
    const struct event_row *row = row_of(type);
    if (row == NULL)
        return EVENT_IGNORED;
    struct slice message = wire_find(slice_of(record), row->field);
    if (message.data == NULL)
        return EVENT_IGNORED;
    event->callback = row->callback;
    row->read(message, event);
    return row == &rows[TYPE(SUBSCRIBED)] ? EVENT_SUBSCRIBED : EVENT_CALLBACK;
}

// Offers and InverseOffers hold their list in fields of the same number.
bool events_next_offer(struct slice *list, struct slice *offer)
{
    _Static_assert(FIELD_SCHEDULER_EVENT_OFFERS_OFFERS ==
                       FIELD_SCHEDULER_EVENT_INVERSE_OFFERS_INVERSE_OFFERS,
                   "one reader for both");
    return wire_next_bytes(list, FIELD_SCHEDULER_EVENT_OFFERS_OFFERS, offer);
}

bool events_rescind(const struct bytes *record, int32_t type, bool *inverse, struct slice *id)
{
    const struct event_row *row = row_of(type);
    struct driver_event event = {.block = NULL};
    if (row == NULL || (row->read != read_rescind && row->read != read_rescind_inverse))
        return false;
    row->read(wire_find(slice_of(record), row->field), &event);
    *id = event.offer_id;
    *inverse = row->read == read_rescind_inverse;
    return true;
}

bool events_outlive_stream(int32_t type)
{
    const struct event_row *row = row_of(type);
    return row != NULL && row->outlives_stream;
}

const char *events_callback_name(enum driver_callback callback)
{
    static const char *const names[CALLBACKS] = {
        [CALLBACK_REGISTERED] = "registered",
        [CALLBACK_REREGISTERED] = "reregistered",
        [CALLBACK_DISCONNECTED] = "disconnected",
        [CALLBACK_RESOURCE_OFFERS] = "resourceOffers",
        [CALLBACK_OFFER_RESCINDED] = "offerRescinded",
        [CALLBACK_STATUS_UPDATE] = "statusUpdate",
        [CALLBACK_FRAMEWORK_MESSAGE] = "frameworkMessage",
        [CALLBACK_SLAVE_LOST] = "slaveLost",
        [CALLBACK_EXECUTOR_LOST] = "executorLost",
        [CALLBACK_ERROR] = "error",
        [CALLBACK_INVERSE_OFFERS] = "inverseOffers",
        [CALLBACK_INVERSE_OFFER_RESCINDED] = "inverseOfferRescinded",
        [CALLBACK_OPERATION_STATUS_UPDATE] = "operationStatusUpdate",
        [CALLBACK_RELOADED] = "reloaded",
        [CALLBACK_FRAMEWORK_REMOVED] = "frameworkRemoved",
        [CALLBACK_SUBMIT] = "submit",
    };
    return names[callback];
}
