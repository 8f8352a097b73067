// SPDX-License-Identifier: Apache-2.0
//
// How long something took. Whatever waits or expires uses the time of the loop; this clock is only
// for measuring work within a turn, and no decision depends on it.

#ifndef MESOS_LUA_BASE_STOPWATCH_H
#define MESOS_LUA_BASE_STOPWATCH_H

double stopwatch_seconds(void); // monotonic, from an arbitrary start

#endif
