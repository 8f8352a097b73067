// SPDX-License-Identifier: Apache-2.0
//
// Signals of the process as events of the loop. For programs, not for what runs inside another one.

#ifndef MESOS_LUA_LOOP_SIGNALS_H
#define MESOS_LUA_LOOP_SIGNALS_H

#include "loop/loop.h"

struct signals;

struct signals_events {
    void (*hangup)(void *data);           // SIGHUP
    void (*stop)(void *data, int number); // SIGINT or SIGTERM

    // The process ends right after it. Called in the handler of a signal.
    void (*ending)(void *data);
};

// Catches SIGINT, SIGTERM and SIGHUP on a loop of libuv; SIGPIPE is ignored, since writes report
// it. A SIGINT or SIGTERM that has not been reported after a second, by the loop or by
// signals_take(), is logged from the handler of a signal; the next one that is not reported either
// ends the process, with status 128 plus its number. One `struct signals` at a time.
//
// Once it is destroyed all three stay pending, so that one that comes late does not end the process
// with its status lost: signals_create() lets them in again, and so does the end of the output.
struct signals *signals_create(struct loop *loop, const struct signals_events *events, void *data);
void signals_destroy(struct signals *signals);

// The next SIGINT or SIGTERM that was not reported yet, or 0; `stop` is not called for it any more.
// For an owner that keeps the loop from turning.
int signals_take(struct signals *signals);

#endif
