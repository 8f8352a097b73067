// SPDX-License-Identifier: Apache-2.0
//
// The calls of a driver on their way to the master. They are built and sent at once, but for
// declines, which are gathered and sent as one call; each answer is matched with its call, counted
// and reported. The outbox knows neither events nor callbacks.

#ifndef MESOS_LUA_MESOS_OUTBOX_H
#define MESOS_LUA_MESOS_OUTBOX_H

#include "base/buffer.h"
#include "mesos/calls.h"
#include "mesos/framework.h"
#include "mesos/transport.h"

struct outbox;

struct outbox_events {
    // An answer came, or none will. It is counted already.
    void (*answered)(void *data, enum call_type type, const struct http_reply *reply);
};

struct outbox_slot {
    struct outbox *outbox;
    enum call_type type;
};

struct outbox {
    struct transport *transport;
    const struct framework *framework; // whose id the calls carry
    const struct outbox_events *events;
    void *data;
    struct buffer call, declines, decline_filters;
    size_t in_flight; // calls without an answer
    struct call_counters counters;
    struct outbox_slot slots[CALL_TYPES]; // what answers are matched by
    // Calls that will have no answer and were not logged yet: those that may have arrived, and
    // those that did not.
    size_t unanswered[CALL_TYPES], unsent[CALL_TYPES];
};

#define OUTBOX_CALL_BYTES_MOST (256u << 20) // of one call

// Transport and framework must outlive the outbox.
void outbox_init(struct outbox *outbox, struct transport *transport,
                 const struct framework *framework, const struct outbox_events *events, void *data);
void outbox_free(struct outbox *outbox);

// Sends a call with that message, behind the declines that wait. False if it is too large, which is
// logged and counted.
bool outbox_send(struct outbox *outbox, enum call_type type, struct slice message);

// A call that is not sent as there is no master: counted, and logged unless it is an
// acknowledgement, which is made again when the update comes again.
void outbox_drop(struct outbox *outbox, enum call_type type);

// Gathers a decline; `filters` is a Filters message with the head of its field, or empty. Declines
// with other filters that wait go out first.
void outbox_decline(struct outbox *outbox, struct slice offer_id, struct slice filters);
void outbox_flush(struct outbox *outbox);  // sends the gathered declines
void outbox_forget(struct outbox *outbox); // drops the gathered declines: the master is lost

// Logs, once, the calls that had no answer since the last time.
void outbox_log_unanswered(struct outbox *outbox);

#endif
