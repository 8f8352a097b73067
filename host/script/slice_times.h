// SPDX-License-Identifier: Apache-2.0
//
// Which Lua code took the time lately: the slices (watchdog.h) of this thread since the loop was
// last on time, added up by title. With it a warning can name many short callbacks together, as
// --callback-warn names a long one. Slices of less than a tick of the coarse clock (4 ms) count by
// their share of it. The table is small: what does not fit is counted in one row.
//
// Nothing is added up until the watchdog has ticked once while the loop was late, so a loop which
// is on time pays nothing.

#ifndef MESOS_LUA_SCRIPT_SLICE_TIMES_H
#define MESOS_LUA_SCRIPT_SLICE_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct title;

void slice_times_follow(bool on); // off at the start
void slice_times_tick(void);      // of the watchdog, in the handler of a signal
bool slice_times_wanted(void);    // True if slices are to be added now.

// `warned`: a warning has named the slice already.
void slice_times_add(const struct title *title, uint64_t nanoseconds, bool warned);
void slice_times_clear(void);

uint64_t slice_times_sum(void);    // nanoseconds
uint64_t slice_times_warned(void); // of which a warning has named so much

// "timer of x.lua:3 took 2.00 s (40 times), callback statusUpdate 0.10 s (3 times)": the
// rows that took the most, whose times are then set to 0.
void slice_times_describe(char *text, size_t size);

#endif
