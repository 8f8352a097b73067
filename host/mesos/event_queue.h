// SPDX-License-Identifier: Apache-2.0
//
// The events that wait for the callback before them: records of the stream, events of the driver's
// own (records as well) and, as NULL, the loss of the stream. First in, first out.

#ifndef MESOS_LUA_MESOS_EVENT_QUEUE_H
#define MESOS_LUA_MESOS_EVENT_QUEUE_H

#include "base/bytes.h"

struct event_queue {
    struct queued_event *first, **end;
    size_t bytes; // of memory, about
    size_t count;
};

void event_queue_init(struct event_queue *queue);
bool event_queue_empty(const struct event_queue *queue);
void event_queue_push(struct event_queue *queue, struct bytes *record); // takes the reference
struct bytes *event_queue_pop(struct event_queue *queue);               // hands it over; not empty

// Drops the records that mean nothing without the stream that brought them, such as offers.
void event_queue_drop_stale(struct event_queue *queue);
void event_queue_clear(struct event_queue *queue);

#endif
