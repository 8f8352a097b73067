// SPDX-License-Identifier: Apache-2.0
//
// The first seam: time. A loop knows what time it is, calls timers when they are due and deferred
// functions at the end of the turn that queued them. Two implementations: libuv (loop_uv.h), where
// time passes by itself, and the virtual clock (loop_virtual.h), where it jumps from timer to
// timer. Whatever runs on a loop reads no other clock.
//
// Timers and deferrals are plain structs inside their owner: they hold no memory, and their owner
// may stop them, and free itself, at any moment, also inside a callback. They must be stopped
// before their memory is freed.
//
// Timers that are due at the same moment are called in the order in which they were started. A turn
// calls only timers that were due when it began, so a timer of delay 0 that starts itself again
// cannot starve the loop; and no more than a batch of them, by number and by time, so many due
// timers, or slow ones, cannot either.
//
// The delay of the earliest due timer is measured (lag.h), and can be followed with
// loop_follow_lag(), which shows for how long callbacks have kept others waiting.

#ifndef MESOS_LUA_LOOP_LOOP_H
#define MESOS_LUA_LOOP_LOOP_H

#include "loop/lag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct spawner;

struct timer {
    struct loop *loop;
    void (*callback)(void *data);
    void *data;
    uint64_t due;   // nanoseconds of loop_now(); valid while it is started
    uint64_t order; // of starting, among timers of the same due time
    size_t slot;    // index in the heap plus one; 0 = not started
};

struct deferral {
    struct loop *loop;
    void (*callback)(void *data);
    void *data;
    struct deferral *next;
    bool queued;
};

// What an implementation provides.
struct loop_ops {
    uint64_t (*now)(struct loop *loop); // monotonic, nanoseconds
    double (*wall)(struct loop *loop);  // seconds since the Unix epoch
    void (*arm)(struct loop *loop);     // loop_due() has changed
    void (*destroy)(struct loop *loop);
};

struct loop {
    const struct loop_ops *ops;
    struct timer **heap;
    size_t timers, capacity;
    uint64_t started; // counts timer_start(), for `order` of the timers
    uint64_t polled;  // loop_now() when it last looked at its descriptors
    struct lag lag;
    void (*on_lag)(void *data, uint64_t late);
    void *lag_data;
    struct deferral *first, **last;
    struct spawner *spawner; // loop/spawner.h; NULL: nothing was ever started
};

#define LOOP_SECOND UINT64_C(1000000000)
#define LOOP_NEVER UINT64_MAX

uint64_t loop_now(struct loop *loop);
double loop_wall(struct loop *loop);

uint64_t loop_polled(const struct loop *loop); // when it last looked at its descriptors

// As nanoseconds. Negative and NaN are 0, what is too large is 100 years.
uint64_t loop_seconds(double seconds);

void timer_init(struct timer *timer, struct loop *loop, void (*callback)(void *data), void *data);
void timer_stop(struct timer *timer); // a stopped timer is fine
bool timer_active(const struct timer *timer);

// Calls it once, `delay` nanoseconds from now. A started timer is restarted.
void timer_start(struct timer *timer, uint64_t delay);

// The same at a time of loop_now(). If that has passed, timers that were due before it are called
// first, however late the loop is.
void timer_start_at(struct timer *timer, uint64_t due);

void deferral_init(struct deferral *deferral, struct loop *loop, void (*callback)(void *data),
                   void *data);
void deferral_queue(struct deferral *deferral); // queueing twice is once
void deferral_cancel(struct deferral *deferral);

// Calls `on_lag` when timers are called, with the delay of the first of them, and with 0 when the
// loop finds that none is due. NULL: no longer.
void loop_follow_lag(struct loop *loop, void (*on_lag)(void *data, uint64_t late), void *data);
const struct lag *loop_lag(const struct loop *loop);

void loop_destroy(struct loop *loop); // all timers and deferrals must be stopped

// For implementations.
void loop_init(struct loop *loop, const struct loop_ops *ops);
void loop_free(struct loop *loop);
void loop_run_timers(struct loop *loop); // calls a batch of the timers that are due now

// When the next work is due: 0 = now, LOOP_NEVER = nothing is waiting.
uint64_t loop_due(const struct loop *loop);

// A turn is about to wait, unless a timer is due by then.
void loop_note_idle(struct loop *loop, uint64_t now);

// Calls the deferred functions that are queued now; those that they queue wait for the next call.
void loop_run_deferred(struct loop *loop);

#endif
