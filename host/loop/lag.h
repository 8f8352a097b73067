// SPDX-License-Identifier: Apache-2.0
//
// How late a loop called its due timers: the maximum and the sum, in total and of about the last
// minute. The loop adds a sample each time that it calls timers.

#ifndef MESOS_LUA_LOOP_LAG_H
#define MESOS_LUA_LOOP_LAG_H

#include <stdint.h>

enum { LAG_SPANS = 6 }; // of ten seconds each

struct lag_span {
    uint64_t number;       // of ten seconds since the beginning of the clock
    uint64_t count;        // samples
    uint64_t sum, longest; // nanoseconds
};

struct lag {
    struct lag_span all, spans[LAG_SPANS];
};

void lag_note(struct lag *lag, uint64_t now, uint64_t late);

// The samples of the last 50 to 60 seconds.
struct lag_span lag_minute(const struct lag *lag, uint64_t now);

double lag_mean(const struct lag_span *span);    // seconds
double lag_longest(const struct lag_span *span); // seconds

#endif
