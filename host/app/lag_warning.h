// SPDX-License-Identifier: Apache-2.0
//
// The warning of a loop that comes late to its timers, and so to everything else: it says what took
// the time, also when that was many short calls of the script, of which none is worth a warning of
// its own. What --callback-warn has told of is not told again.

#ifndef MESOS_LUA_APP_LAG_WARNING_H
#define MESOS_LUA_APP_LAG_WARNING_H

#include "loop/loop.h"

struct lag_warning {
    struct loop *loop;
    double next; // stopwatch_seconds(): no warning before
};

// For a loop of real time, until lag_warning_stop(); where it lies is its owner's.
void lag_warning_start(struct lag_warning *warning, struct loop *loop);
void lag_warning_stop(struct lag_warning *warning); // one that was not started is fine

#endif
