// SPDX-License-Identifier: Apache-2.0
//
// How late a loop came to its timers: see lag.h. The spans are a ring, of which each is begun anew
// when its time has come round.

#include "loop/lag.h"

#include "loop/loop.h"

static const uint64_t span_length = 10 * LOOP_SECOND;

static void add(struct lag_span *span, uint64_t count, uint64_t sum, uint64_t longest)
{
    span->count += count;
    span->sum += sum;
    if (longest > span->longest)
        span->longest = longest;
}

void lag_note(struct lag *lag, uint64_t now, uint64_t late)
{
    uint64_t number = now / span_length;
    struct lag_span *span = &lag->spans[number % LAG_SPANS];
    if (span->number != number)
        *span = (struct lag_span){.number = number};
    add(span, 1, late, late);
    add(&lag->all, 1, late, late);
}

struct lag_span lag_minute(const struct lag *lag, uint64_t now)
{
    struct lag_span minute = {.number = now / span_length};
    for (int i = 0; i < LAG_SPANS; i++) {
        const struct lag_span *span = &lag->spans[i];
        if (minute.number - span->number < LAG_SPANS)
            add(&minute, span->count, span->sum, span->longest);
    }
    return minute;
}

double lag_mean(const struct lag_span *span)
{
    return span->count ? (double)span->sum / (double)span->count / (double)LOOP_SECOND : 0;
}

double lag_longest(const struct lag_span *span)
{
    return (double)span->longest / (double)LOOP_SECOND;
}
