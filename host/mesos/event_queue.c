// SPDX-License-Identifier: Apache-2.0
//
// The events that wait: see event_queue.h.

#include "mesos/event_queue.h"

#include "base/memory.h"
#include "mesos/events.h"

#include <stdlib.h>

struct queued_event {
    struct queued_event *next;
    struct bytes *record;
};

void event_queue_init(struct event_queue *queue)
{
    *queue = (struct event_queue){.first = NULL};
    queue->end = &queue->first;
}

bool event_queue_empty(const struct event_queue *queue)
{
    return queue->first == NULL;
}

// What it costs: of the smallest records most is not their length.
static size_t weight(const struct queued_event *event)
{
    return sizeof *event + (event->record ? sizeof *event->record + event->record->length : 0);
}

static void append(struct event_queue *queue, struct queued_event *event)
{
    event->next = NULL;
    *queue->end = event;
    queue->end = &event->next;
    queue->bytes += weight(event);
    queue->count++;
}

void event_queue_push(struct event_queue *queue, struct bytes *record)
{
    struct queued_event *event = memory_new(sizeof *event);
    event->record = record;
    append(queue, event);
}

struct bytes *event_queue_pop(struct event_queue *queue)
{
    struct queued_event *event = queue->first;
    struct bytes *record = event->record;
    queue->first = event->next;
    if (queue->first == NULL)
        queue->end = &queue->first;
    queue->bytes -= weight(event);
    queue->count--;
    free(event);
    return record;
}

void event_queue_drop_stale(struct event_queue *queue)
{
    struct queued_event *event = queue->first, *next;
    event_queue_init(queue);
    for (; event != NULL; event = next) {
        next = event->next;
        if (event->record == NULL || events_outlive_stream(event->record)) {
            append(queue, event);
            continue;
        }
        bytes_unref(event->record);
        free(event);
    }
}

void event_queue_clear(struct event_queue *queue)
{
    while (!event_queue_empty(queue))
        bytes_unref(event_queue_pop(queue));
}
