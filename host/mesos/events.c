// SPDX-License-Identifier: Apache-2.0
//
// Events as callbacks with arguments: see events.h. One row for each type of event.

#include "mesos/events.h"

#include "wire/wire.h"

#define TYPE(name) MESOS__V1__SCHEDULER__EVENT__TYPE__##name

enum { FIELD_TYPE = 1 };

struct event_row {
    uint32_t field; // of Event, with the message of this type; 0: we do not know the type
    enum driver_callback callback;
    void (*read)(struct slice message, struct driver_event *event);
    bool outlives_stream;
};

static struct slice id_of(struct slice message, uint32_t field)
{
    return wire_find(wire_find(message, field), 1);
}

static void read_subscribed(struct slice message, struct driver_event *event)
{
    event->framework_id = id_of(message, 1);
    event->message = wire_find(message, 3);
}

static void read_offers(struct slice message, struct driver_event *event)
{
    event->message = message;
}

static void read_rescind(struct slice message, struct driver_event *event)
{
    event->offer_id = id_of(message, 1);
}

static void read_status(struct slice message, struct driver_event *event)
{
    event->message = wire_find(message, 1);
}

static void read_message(struct slice message, struct driver_event *event)
{
    event->agent_id = id_of(message, 1);
    event->executor_id = id_of(message, 2);
    event->data = wire_find(message, 3);
}

// With an executor it is the executor that failed, without one the whole agent.
static void read_failure(struct slice message, struct driver_event *event)
{
    uint64_t status = 0;
    wire_find_varint(message, 3, &status);
    event->agent_id = id_of(message, 1);
    event->executor_id = id_of(message, 2);
    event->status = (int32_t)status;
    if (event->executor_id.data != NULL)
        event->callback = CALLBACK_EXECUTOR_LOST;
}

static void read_error(struct slice message, struct driver_event *event)
{
    event->data = wire_find(message, 1);
}

static const struct event_row rows[] = {
    [TYPE(SUBSCRIBED)] = {2, CALLBACK_REGISTERED, read_subscribed, false},
    [TYPE(OFFERS)] = {3, CALLBACK_RESOURCE_OFFERS, read_offers, false},
    [TYPE(RESCIND)] = {4, CALLBACK_OFFER_RESCINDED, read_rescind, false},
    [TYPE(UPDATE)] = {5, CALLBACK_STATUS_UPDATE, read_status, true},
    [TYPE(MESSAGE)] = {6, CALLBACK_FRAMEWORK_MESSAGE, read_message, true},
    [TYPE(FAILURE)] = {7, CALLBACK_SLAVE_LOST, read_failure, true},
    [TYPE(ERROR)] = {8, CALLBACK_ERROR, read_error, true},
    [TYPE(INVERSE_OFFERS)] = {9, CALLBACK_INVERSE_OFFERS, read_offers, false},
    [TYPE(RESCIND_INVERSE_OFFER)] = {10, CALLBACK_INVERSE_OFFER_RESCINDED, read_rescind, false},
    [TYPE(UPDATE_OPERATION_STATUS)] = {11, CALLBACK_OPERATION_STATUS_UPDATE, read_status, true},
};

static const struct event_row *row_of(struct slice event)
{
    int32_t type = TYPE(UNKNOWN);
    wire_find_enum(event, FIELD_TYPE, &type);
    if (type < 0 || (size_t)type >= sizeof rows / sizeof *rows || rows[type].field == 0)
        return NULL;
    return &rows[type];
}

enum event_kind events_read(struct bytes *record, struct driver_event *event)
{
    *event = (struct driver_event){.block = record};
    const struct event_row *row = row_of(slice_of(record));
    if (row == NULL)
        return EVENT_IGNORED;
    struct slice message = wire_find(slice_of(record), row->field);
    if (message.data == NULL)
        return EVENT_IGNORED;
    event->callback = row->callback;
    row->read(message, event);
    return row == &rows[TYPE(SUBSCRIBED)] ? EVENT_SUBSCRIBED : EVENT_CALLBACK;
}

// Offers and InverseOffers both hold their list in field 1.
bool events_next_offer(struct slice *list, struct slice *offer)
{
    return wire_next_bytes(list, 1, offer);
}

bool events_rescind(struct bytes *record, bool *inverse, struct slice *id)
{
    const struct event_row *row = row_of(slice_of(record));
    if (row == NULL || row->read != read_rescind)
        return false;
    *id = id_of(wire_find(slice_of(record), row->field), 1);
    *inverse = row->callback == CALLBACK_INVERSE_OFFER_RESCINDED;
    return true;
}

bool events_outlive_stream(const struct bytes *record)
{
    const struct event_row *row = row_of(slice_of(record));
    return row != NULL && row->outlives_stream;
}
