// SPDX-License-Identifier: Apache-2.0
//
// The queue of filters; see the header.

#include "master/offer_filter_queue.h"

#include "base/memory.h"
#include "master/master_records.h"

#include <stdlib.h>

typedef struct offer_filter_end End;

static size_t above(size_t place)
{
    return (place - 1) / 2;
}

static void move_up(struct offer_filter_queue *queue, size_t place, End end)
{
    for (; place > 0 && queue->heap[above(place)].until > end.until; place = above(place))
        queue->heap[place] = queue->heap[above(place)];
    queue->heap[place] = end;
}

static void move_down(struct offer_filter_queue *queue, size_t place, End end)
{
    for (size_t below; (below = 2 * place + 1) < queue->count; place = below) {
        if (below + 1 < queue->count && queue->heap[below + 1].until < queue->heap[below].until)
            below++;
        if (queue->heap[below].until >= end.until)
            break;
        queue->heap[place] = queue->heap[below];
    }
    queue->heap[place] = end;
}

struct offer_filter *offer_filter_queue_put(struct offer_filter_queue *queue, uint64_t until)
{
    struct offer_filter *filter = block_pool_take(&queue->blocks, sizeof *filter);
    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity * 2 + 64;
        queue->heap = memory_resize(queue->heap, queue->capacity * sizeof *queue->heap);
    }
    size_t place = queue->count++;
    move_up(queue, place, (End){until, filter});
    return filter;
}

static struct offer_filter *take_first(struct offer_filter_queue *queue)
{
    struct offer_filter *first = queue->heap[0].filter;
    if (--queue->count > 0)
        move_down(queue, 0, queue->heap[queue->count]);
    return first;
}

void offer_filter_queue_give(struct offer_filter_queue *queue, struct offer_filter *filter)
{
    block_pool_give(&queue->blocks, filter);
}

struct offer_filter *offer_filter_queue_take(struct offer_filter_queue *queue, uint64_t now)
{
    while (queue->count > 0 && queue->heap[0].until <= now) {
        struct offer_filter *filter = take_first(queue);
        if (!filter->dropped)
            return filter;
        queue->dropped--;
        block_pool_give(&queue->blocks, filter);
    }
    return NULL;
}

static void forget_dropped(struct offer_filter_queue *queue)
{
    size_t kept = 0;
    for (size_t i = 0; i < queue->count; i++) {
        if (queue->heap[i].filter->dropped)
            block_pool_give(&queue->blocks, queue->heap[i].filter);
        else
            queue->heap[kept++] = queue->heap[i];
    }
    queue->count = kept;
    queue->dropped = 0;
    for (size_t i = kept / 2; i-- > 0;)
        move_down(queue, i, queue->heap[i]);
}

void offer_filter_queue_drop(struct offer_filter_queue *queue, struct offer_filter *filter)
{
    filter->dropped = true;
    queue->dropped++;
    if (queue->dropped > queue->count / 2)
        forget_dropped(queue);
}

void offer_filter_queue_free(struct offer_filter_queue *queue)
{
    free(queue->heap);
    block_pool_free(&queue->blocks);
}
