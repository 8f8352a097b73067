// SPDX-License-Identifier: Apache-2.0
//
// The events that wait for the end of the callback before them. Events of the stream, and the loss
// of the stream between them, are in the order in which they came. In front of them are the
// driver's own, in the order of `enum queued_kind`, each kind at most once.

#ifndef MESOS_LUA_MESOS_EVENT_QUEUE_H
#define MESOS_LUA_MESOS_EVENT_QUEUE_H

#include "base/queue.h"

enum queued_kind {
    // In front, in this order.
    QUEUED_FATAL = 1,      // the error that ended the driver; block = its text
    QUEUED_RELOADED,       // another version of the listener is there
    QUEUED_REPEATED,       // the event of driver_repeat(); block = the event's
    QUEUED_OFFERS,         // the outstanding offers come again
    QUEUED_INVERSE_OFFERS, // likewise
    // Behind, as they come.
    QUEUED_DISCONNECTED, // the stream is lost
    QUEUED_RECORD,       // block = the record
    QUEUED_SUBMISSION,   // block = that of driver_submit()
};

struct event_queue {
    struct queue events;
};

void event_queue_init(struct event_queue *queue);

static inline bool event_queue_empty(const struct event_queue *queue)
{
    return queue->events.count == 0;
}

// One event.
struct queued {
    enum queued_kind kind;
    int32_t type;        // of QUEUED_RECORD: the Event.Type
    struct bytes *block; // a reference, or NULL for kinds without one
};

// Both take the reference on the block. Of a kind that goes in front there is at most one: pushing
// another does nothing.
void event_queue_push(struct event_queue *queue, struct queued event);
void event_queue_push_front(struct event_queue *queue, struct queued event);

// Removes the first and hands its block over. The queue must not be empty.
struct queued event_queue_pop(struct event_queue *queue);

// The stream is gone: drops the records that are void without it.
void event_queue_drop_stale(struct event_queue *queue);
void event_queue_clear(struct event_queue *queue);

#endif
