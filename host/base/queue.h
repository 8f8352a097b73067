// SPDX-License-Identifier: Apache-2.0
//
// A first in, first out queue that knows how many items it has and their weight: about how many
// bytes of memory they take, for a cap. An item is the first member of the object that is queued,
// which belongs to the owner: the queue allocates and frees nothing.

#ifndef MESOS_LUA_BASE_QUEUE_H
#define MESOS_LUA_BASE_QUEUE_H

#include "base/bytes.h"

#include <sys/queue.h>

struct queue_item {
    STAILQ_ENTRY(queue_item) link;
    size_t weight; // set by the owner before it is queued, and not changed while it is
};

struct queue {
    STAILQ_HEAD(, queue_item) items;
    size_t count, bytes;
};

// The weight of an item of that size with its block, which may be NULL. For short blocks the
// overhead is larger than the length.
static inline size_t queue_weight(size_t size, const struct bytes *block)
{
    return size + (block ? sizeof *block + block->length : 0);
}

static inline void queue_init(struct queue *queue)
{
    STAILQ_INIT(&queue->items);
    queue->count = queue->bytes = 0;
}

static inline void *queue_first(const struct queue *queue) // NULL: it is empty
{
    return STAILQ_FIRST(&queue->items);
}

static inline void *queue_next(const void *item) // NULL: it is the last
{
    return STAILQ_NEXT((const struct queue_item *)item, link);
}

static inline void queue_push(struct queue *queue, struct queue_item *item)
{
    STAILQ_INSERT_TAIL(&queue->items, item, link);
    queue->count++;
    queue->bytes += item->weight;
}

// Puts the item behind `previous`, which is queued, or in front of all if that is NULL.
static inline void queue_insert(struct queue *queue, struct queue_item *previous,
                                struct queue_item *item)
{
    if (previous != NULL)
        STAILQ_INSERT_AFTER(&queue->items, previous, item, link);
    else
        STAILQ_INSERT_HEAD(&queue->items, item, link);
    queue->count++;
    queue->bytes += item->weight;
}

static inline void *queue_pop(struct queue *queue) // NULL: it is empty
{
    struct queue_item *item = STAILQ_FIRST(&queue->items);
    if (item == NULL)
        return NULL;
    STAILQ_REMOVE_HEAD(&queue->items, link);
    queue->count--;
    queue->bytes -= item->weight;
    return item;
}

// Moves all of `from` behind what is in `to`.
static inline void queue_append(struct queue *to, struct queue *from)
{
    STAILQ_CONCAT(&to->items, &from->items);
    to->count += from->count;
    to->bytes += from->bytes;
    from->count = from->bytes = 0;
}

// Moves all of `from` to the front of `to`.
static inline void queue_put_back(struct queue *to, struct queue *from)
{
    if (from->count == 0)
        return;
    queue_append(from, to);
    queue_append(to, from);
}

#endif
