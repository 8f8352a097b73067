// SPDX-License-Identifier: Apache-2.0
//
// What the master tells: which callback an event of the stream belongs to, and where in its bytes
// the callback's arguments are. Pure functions over bytes that wire_accept() has accepted.

#ifndef MESOS_LUA_MESOS_EVENTS_H
#define MESOS_LUA_MESOS_EVENTS_H

#include "mesos/driver.h"

enum event_kind {
    EVENT_IGNORED,    // a heartbeat, or of a type that we do not know, or lacking its message
    EVENT_SUBSCRIBED, // message = MasterInfo, framework_id
    EVENT_CALLBACK,   // all others: the callback is set, and its arguments, but for the offers
};

// Fills `event` from a record; the slices point into it. For OFFERS and INVERSE_OFFERS `message` is
// the list message, to be walked with events_next_offer().
enum event_kind events_read(struct bytes *record, struct driver_event *event);

// The next offer of a list message: advances `list`. False at the end.
bool events_next_offer(struct slice *list, struct slice *offer);

// Does a record rescind an offer, or an inverse offer? Then `id` is that of the offer.
bool events_rescind(struct bytes *record, bool *inverse, struct slice *id);

// Does the event keep its meaning when the stream that brought it is gone? Offers do not.
bool events_outlive_stream(const struct bytes *record);

#endif
