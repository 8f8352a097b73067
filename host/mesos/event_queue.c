// SPDX-License-Identifier: Apache-2.0
//
// The events that wait: see event_queue.h.

#include "mesos/event_queue.h"

#include "base/memory.h"
#include "mesos/events.h"

#include <stdlib.h>

struct queued_event {
    struct queue_item item;
    struct queued event;
};

void event_queue_init(struct event_queue *queue)
{
    queue_init(&queue->events);
}

static struct queued_event *new_event(struct queued event)
{
    struct queued_event *queued = memory_new(sizeof *queued);
    queued->item.weight = queue_weight(sizeof *queued, event.block);
    queued->event = event;
    return queued;
}

void event_queue_push(struct event_queue *queue, struct queued event)
{
    queue_push(&queue->events, &new_event(event)->item);
}

void event_queue_push_front(struct event_queue *queue, struct queued event)
{
    struct queued_event *previous = NULL, *next = queue_first(&queue->events);
    for (; next != NULL && next->event.kind < event.kind; next = queue_next(next))
        previous = next;
    if (next != NULL && next->event.kind == event.kind)
        bytes_unref(event.block);
    else
        queue_insert(&queue->events, previous ? &previous->item : NULL, &new_event(event)->item);
}

struct queued event_queue_pop(struct event_queue *queue)
{
    struct queued_event *queued = queue_pop(&queue->events);
    struct queued event = queued->event;
    free(queued);
    return event;
}

static bool is_stale(const struct queued *event)
{
    return event->kind == QUEUED_RECORD && !events_outlive_stream(event->type);
}

void event_queue_drop_stale(struct event_queue *queue)
{
    for (size_t left = queue->events.count; left > 0; left--) {
        struct queued event = event_queue_pop(queue);
        if (is_stale(&event))
            bytes_unref(event.block);
        else
            event_queue_push(queue, event);
    }
}

void event_queue_clear(struct event_queue *queue)
{
    while (!event_queue_empty(queue))
        bytes_unref(event_queue_pop(queue).block);
}
