// SPDX-License-Identifier: Apache-2.0
//
// Timers and deferrals, the half of a loop that does not depend on its clock: see loop.h. Timers
// stand in a binary heap by (due, order); each knows its slot, so that stopping one costs a
// logarithm and no search.

#include "loop/loop.h"

#include "base/memory.h"

#include <stdlib.h>

uint64_t loop_now(struct loop *loop)
{
    return loop->ops->now(loop);
}

double loop_wall(struct loop *loop)
{
    return loop->ops->wall(loop);
}

uint64_t loop_seconds(double seconds)
{
    const double longest = 100.0 * 365 * 24 * 3600;
    if (!(seconds > 0))
        return 0;
    return (uint64_t)((seconds < longest ? seconds : longest) * (double)LOOP_SECOND);
}

enum { TIMERS_OF_A_TURN = 64 };

static const uint64_t time_of_a_turn = LOOP_SECOND / 100; // until the rest of a batch has to wait

// ---- the heap ----

static bool before(const struct timer *a, const struct timer *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void set_slot(struct loop *loop, size_t slot, struct timer *timer)
{
    loop->heap[slot] = timer;
    timer->slot = slot + 1;
}

static void sift_up(struct loop *loop, size_t slot, struct timer *timer)
{
    while (slot > 0 && before(timer, loop->heap[(slot - 1) / 2])) {
        set_slot(loop, slot, loop->heap[(slot - 1) / 2]);
        slot = (slot - 1) / 2;
    }
    set_slot(loop, slot, timer);
}

static void sift_down(struct loop *loop, size_t slot, struct timer *timer)
{
    for (size_t child; (child = 2 * slot + 1) < loop->timers; slot = child) {
        if (child + 1 < loop->timers && before(loop->heap[child + 1], loop->heap[child]))
            child++;
        if (!before(loop->heap[child], timer))
            break;
        set_slot(loop, slot, loop->heap[child]);
    }
    set_slot(loop, slot, timer);
}

static void insert(struct loop *loop, struct timer *timer)
{
    if (loop->timers == loop->capacity) {
        loop->capacity = loop->capacity ? 2 * loop->capacity : 16;
        loop->heap = memory_resize(loop->heap, loop->capacity * sizeof *loop->heap);
    }
    sift_up(loop, loop->timers++, timer);
}

static void remove_timer(struct loop *loop, struct timer *timer)
{
    size_t slot = timer->slot - 1;
    struct timer *last = loop->heap[--loop->timers];
    timer->slot = 0;
    if (last == timer)
        return;
    if (slot > 0 && before(last, loop->heap[(slot - 1) / 2]))
        sift_up(loop, slot, last);
    else
        sift_down(loop, slot, last);
}

// ---- timers ----

void timer_init(struct timer *timer, struct loop *loop, void (*callback)(void *data), void *data)
{
    *timer = (struct timer){.loop = loop, .callback = callback, .data = data};
}

void timer_start_at(struct timer *timer, uint64_t due)
{
    struct loop *loop = timer->loop;
    if (timer->slot)
        remove_timer(loop, timer);
    timer->due = due < LOOP_NEVER ? due : LOOP_NEVER - 1;
    timer->order = loop->started++;
    insert(loop, timer);
    loop->ops->arm(loop);
}

void timer_start(struct timer *timer, uint64_t delay)
{
    uint64_t now = loop_now(timer->loop);
    timer_start_at(timer, delay < LOOP_NEVER - now ? now + delay : LOOP_NEVER);
}

void timer_stop(struct timer *timer)
{
    if (timer->slot == 0)
        return;
    remove_timer(timer->loop, timer);
    timer->loop->ops->arm(timer->loop);
}

bool timer_active(const struct timer *timer)
{
    return timer->slot != 0;
}

static bool is_due(const struct loop *loop, uint64_t now)
{
    return loop->timers > 0 && loop->heap[0]->due <= now;
}

static void note_lag(struct loop *loop, uint64_t now)
{
    if (!is_due(loop, now))
        return;
    uint64_t late = now - loop->heap[0]->due;
    lag_note(&loop->lag, now, late);
    if (loop->on_lag != NULL)
        loop->on_lag(loop->lag_data, late);
}

void loop_note_idle(struct loop *loop, uint64_t now)
{
    if (loop->on_lag != NULL && !is_due(loop, now))
        loop->on_lag(loop->lag_data, 0);
}

void loop_run_timers(struct loop *loop)
{
    uint64_t now = loop_now(loop), started = loop->started;
    note_lag(loop, now);
    for (int i = 0; i < TIMERS_OF_A_TURN && loop->timers > 0; i++) {
        struct timer *timer = loop->heap[0];
        if (timer->due > now || timer->order >= started)
            break;
        remove_timer(loop, timer);
        timer->callback(timer->data);
        if (is_due(loop, now) && loop_now(loop) - now >= time_of_a_turn)
            break;
    }
    loop->ops->arm(loop);
}

// ---- deferrals ----

void deferral_init(struct deferral *deferral, struct loop *loop, void (*callback)(void *data),
                   void *data)
{
    *deferral = (struct deferral){.loop = loop, .callback = callback, .data = data};
}

void deferral_queue(struct deferral *deferral)
{
    struct loop *loop = deferral->loop;
    if (deferral->queued)
        return;
    deferral->queued = true;
    deferral->next = NULL;
    *loop->last = deferral;
    loop->last = &deferral->next;
    loop->ops->arm(loop);
}

void deferral_cancel(struct deferral *deferral)
{
    if (!deferral->queued)
        return;
    struct loop *loop = deferral->loop;
    struct deferral **link = &loop->first;
    while (*link != deferral)
        link = &(*link)->next;
    *link = deferral->next;
    if (loop->last == &deferral->next)
        loop->last = link;
    deferral->queued = false;
}

// A marker at the end of the queue bounds the turn: what the callbacks queue goes behind it.
static void on_marker(void *data)
{
    (void)data;
}

void loop_run_deferred(struct loop *loop)
{
    struct deferral marker;
    deferral_init(&marker, loop, on_marker, NULL);
    deferral_queue(&marker);
    while (marker.queued) {
        struct deferral *first = loop->first;
        deferral_cancel(first);
        first->callback(first->data);
    }
}

// ---- life ----

void loop_init(struct loop *loop, const struct loop_ops *ops)
{
    *loop = (struct loop){.ops = ops};
    loop->last = &loop->first;
}

void loop_free(struct loop *loop)
{
    free(loop->heap);
}

uint64_t loop_due(const struct loop *loop)
{
    if (loop->first != NULL)
        return 0;
    return loop->timers ? loop->heap[0]->due : LOOP_NEVER;
}

uint64_t loop_polled(const struct loop *loop)
{
    return loop->polled;
}

void loop_follow_lag(struct loop *loop, void (*on_lag)(void *data, uint64_t late), void *data)
{
    loop->on_lag = on_lag;
    loop->lag_data = data;
}

const struct lag *loop_lag(const struct loop *loop)
{
    return &loop->lag;
}

void loop_destroy(struct loop *loop)
{
    if (loop != NULL)
        loop->ops->destroy(loop);
}
