// SPDX-License-Identifier: Apache-2.0
//
// The calls of a driver on their way to the master. A call is a framework id, a type and one
// message whose contents the caller has already: it is put together without being unpacked, and
// sent at once, but for declines, which are gathered and sent as one call. Each answer is matched
// with its call, counted by type and reported. Nothing here knows events or callbacks.

#ifndef MESOS_LUA_MESOS_CALLS_H
#define MESOS_LUA_MESOS_CALLS_H

#include "base/buffer.h"
#include "mesos/call_counters.h"
#include "mesos/framework.h"
#include "mesos/transport.h"

const char *calls_name(enum call_type type); // "KILL"

// Replaces the contents of `call` by a call of that type: `framework_id` may be empty (the first
// SUBSCRIBE), `message` is the wire form of the call's own message and is left out if its data is
// NULL. False at the buffer's cap.
bool calls_build(struct buffer *call, enum call_type type, struct slice framework_id,
                 struct slice message);

struct calls;

struct calls_events {
    // An answer came, or none will. It is counted already.
    void (*answered)(void *data, enum call_type type, const struct http_reply *reply);
};

struct calls_slot {
    struct calls *calls;
    enum call_type type;
};

struct calls {
    struct transport *transport;
    const struct framework *framework; // whose id the calls carry
    const struct calls_events *events;
    void *data;
    struct buffer call, declines, decline_filters;
    size_t in_flight; // calls without an answer
    struct call_counters counters;
    struct calls_slot slots[CALL_TYPES]; // what answers are matched by
    // Those that will have no answer and were not logged yet: they may have arrived, or have not.
    size_t unanswered[CALL_TYPES], unsent[CALL_TYPES];
};

#define CALL_BYTES_MOST (256u << 20) // of one call

// Transport and framework must outlive the calls.
void calls_init(struct calls *calls, struct transport *transport, const struct framework *framework,
                const struct calls_events *events, void *data);
void calls_free(struct calls *calls);

// Sends a call with that message, behind the declines that wait. False if it is too large, which is
// logged and counted.
bool calls_send(struct calls *calls, enum call_type type, struct slice message);

// A call that is not sent as there is no master: counted, and logged unless it is an
// acknowledgement, which is made again when the update comes again.
void calls_drop(struct calls *calls, enum call_type type);

// Gathers a decline; `filters` is a Filters message with the head of its field, or empty. Declines
// with other filters that wait go out first.
void calls_decline(struct calls *calls, struct slice offer_id, struct slice filters);
void calls_flush(struct calls *calls);  // sends the gathered declines
void calls_forget(struct calls *calls); // drops the gathered declines: the master is lost

// Logs, once, the calls that had no answer since the last time.
void calls_log_unanswered(struct calls *calls);

#endif
