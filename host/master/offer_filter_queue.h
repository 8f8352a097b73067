// SPDX-License-Identifier: Apache-2.0
//
// The filters of a master in the order of their ends. The queue is a heap whose entries have the
// times beside them, so that it never looks into a filter: of many they are not in the cache. A
// filter that ends before its time stays in the queue, dropped, until it comes to the front or
// until more than half of all are such.

#ifndef MESOS_LUA_MASTER_OFFER_FILTER_QUEUE_H
#define MESOS_LUA_MASTER_OFFER_FILTER_QUEUE_H

#include "base/block_pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct offer_filter;

// A zeroed struct is an empty queue.
struct offer_filter_queue {
    struct offer_filter_end {
        uint64_t until;
        struct offer_filter *filter;
    } * heap;
    size_t count, capacity;
    size_t dropped; // how many of them
    struct block_pool blocks;
};

// A new filter that ends then; its members are to be set.
struct offer_filter *offer_filter_queue_put(struct offer_filter_queue *queue, uint64_t until);

// Takes a filter that has ended out of the queue, to be given back; NULL: there is none.
struct offer_filter *offer_filter_queue_take(struct offer_filter_queue *queue, uint64_t now);
void offer_filter_queue_give(struct offer_filter_queue *queue, struct offer_filter *filter);

// The filter, which is in the queue, ends before its time. It is given back.
void offer_filter_queue_drop(struct offer_filter_queue *queue, struct offer_filter *filter);

void offer_filter_queue_free(struct offer_filter_queue *queue); // all filters have ended

#endif
