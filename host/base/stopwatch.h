// SPDX-License-Identifier: Apache-2.0
//
// How long something took. The loop tells what time it is to everything that waits or expires; this
// is for measuring work within one of its turns, and nothing is decided by it.

#ifndef MESOS_LUA_BASE_STOPWATCH_H
#define MESOS_LUA_BASE_STOPWATCH_H

double stopwatch_seconds(void); // monotonic, from an arbitrary start

#endif
