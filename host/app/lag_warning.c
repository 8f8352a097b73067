// SPDX-License-Identifier: Apache-2.0
//
// The warning about a late loop: see lag_warning.h. While the loop is late the times of the
// script's slices add up; once it is on time they are cleared.

#include "app/lag_warning.h"

#include "base/log.h"
#include "base/stopwatch.h"
#include "script/slice_times.h"

static const uint64_t on_time = LOOP_SECOND / 10; // nanoseconds: less lag is none
static const uint64_t too_late = LOOP_SECOND;
static const double pause = 10; // seconds between two warnings

static double seconds(uint64_t nanoseconds)
{
    return (double)nanoseconds / (double)LOOP_SECOND;
}

static void warn(uint64_t late)
{
    char what[512];
    uint64_t lua = slice_times_sum();
    slice_times_describe(what, sizeof what);
    if (lua < late / 2)
        log_warning(
            "the loop is %.2f s late, of which Lua code took %.2f s: the process was stopped, "
            "the machine is busy, or the host's own work takes that long",
            seconds(late), seconds(lua));
    else
        log_warning("the loop is %.2f s late, and events, answers and timers wait: %s",
                    seconds(late), what);
}

static void on_lag(void *data, uint64_t late)
{
    struct lag_warning *warning = data;
    double now = late >= too_late ? stopwatch_seconds() : 0;
    bool warns = late >= too_late && now >= warning->next;
    if (warns && slice_times_warned() < late / 2)
        warn(late);
    if (warns)
        warning->next = now + pause;
    if (warns || late < on_time)
        slice_times_clear();
}

void lag_warning_start(struct lag_warning *warning, struct loop *loop)
{
    *warning = (struct lag_warning){.loop = loop};
    loop_follow_lag(loop, on_lag, warning);
    slice_times_follow(true);
}

void lag_warning_stop(struct lag_warning *warning)
{
    if (warning->loop == NULL)
        return;
    loop_follow_lag(warning->loop, NULL, NULL);
    slice_times_follow(false);
}
