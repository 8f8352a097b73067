// SPDX-License-Identifier: Apache-2.0
//
// Warns when the loop is late for its timers, and so for everything else. The warning says what
// took the time, even if that was many short calls of the script, none of which deserves a warning
// of its own. What --callback-warn has reported is not reported again.

#ifndef MESOS_LUA_APP_LAG_WARNING_H
#define MESOS_LUA_APP_LAG_WARNING_H

#include "loop/loop.h"

struct lag_warning {
    struct loop *loop;
    double next; // stopwatch_seconds(): no warning before this time
};

// For a loop of real time, until lag_warning_stop(). The owner keeps the struct.
void lag_warning_start(struct lag_warning *warning, struct loop *loop);
void lag_warning_stop(struct lag_warning *warning); // also if it was not started

#endif
