// SPDX-License-Identifier: Apache-2.0
//
// Which callback an event of the stream belongs to, and where in its bytes the arguments of the
// callback are. Pure functions over bytes that wire_accept() has accepted.

#ifndef MESOS_LUA_MESOS_EVENTS_H
#define MESOS_LUA_MESOS_EVENTS_H

#include "base/bytes.h"

enum driver_callback {
    CALLBACK_REGISTERED,              // framework_id, message = MasterInfo
    CALLBACK_REREGISTERED,            // message = MasterInfo
    CALLBACK_DISCONNECTED,            //
    CALLBACK_RESOURCE_OFFERS,         // offers, count
    CALLBACK_OFFER_RESCINDED,         // offer_id
    CALLBACK_STATUS_UPDATE,           // message = TaskStatus
    CALLBACK_FRAMEWORK_MESSAGE,       // executor_id, agent_id, data
    CALLBACK_SLAVE_LOST,              // agent_id
    CALLBACK_EXECUTOR_LOST,           // executor_id, agent_id, status
    CALLBACK_ERROR,                   // data = the text
    CALLBACK_INVERSE_OFFERS,          // offers, count (of inverse offers)
    CALLBACK_INVERSE_OFFER_RESCINDED, // offer_id
    CALLBACK_OPERATION_STATUS_UPDATE, // message = OperationStatus
    CALLBACK_RELOADED,                // of driver_hand_over()
    CALLBACK_FRAMEWORK_REMOVED,       // framework_id, data = the text; see driver_reregister()
    CALLBACK_SUBMIT,                  // of driver_submit(): data
    CALLBACKS
};

const char *events_callback_name(enum driver_callback callback); // "statusUpdate"

struct driver_event {
    enum driver_callback callback;
    int32_t status;       // of an executor, as of waitpid()
    struct bytes *block;  // what the slices point into; NULL for events of the driver's own
    struct slice message; // which fields are set: see the list above
    struct slice framework_id, offer_id, agent_id, executor_id, data;
    const struct slice *offers; // the messages, valid also when an offer is spent meanwhile
    size_t count;
};

enum event_kind {
    EVENT_IGNORED,    // a heartbeat, an event of an unknown type, or one without its message
    EVENT_SUBSCRIBED, // message = MasterInfo, framework_id
    EVENT_CALLBACK,   // all others: the callback is set, and its arguments, but for the offers
};

// Fills `event` from a record whose Event.Type is `type`; the slices point into it. For OFFERS and
// INVERSE_OFFERS `message` is the list message, to be walked with events_next_offer().
enum event_kind events_read(struct bytes *record, int32_t type, struct driver_event *event);

// The next offer of a list message: advances `list`. False at the end.
bool events_next_offer(struct slice *list, struct slice *offer);

// True if the record rescinds an offer, or an inverse offer: `id` is that of the offer.
bool events_rescind(const struct bytes *record, int32_t type, bool *inverse, struct slice *id);

// True if the event is still valid when its stream is gone. Offers are not.
bool events_outlive_stream(int32_t type);

#endif
