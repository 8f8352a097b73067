// SPDX-License-Identifier: Apache-2.0
//
// Signals of the process as events of the loop. For programs, not for what runs inside another one.

#ifndef MESOS_LUA_LOOP_SIGNALS_H
#define MESOS_LUA_LOOP_SIGNALS_H

#include "loop/loop.h"

struct signals;

// Catches SIGINT, SIGTERM and SIGHUP on a loop of libuv; SIGPIPE is ignored, since writes tell. A
// second SIGINT or SIGTERM that comes while the loop has not turned for the first ends the process
// within a second, with status 128 plus its number. One at a time.
struct signals *signals_create(struct loop *loop, void (*on_signal)(void *data, int number),
                               void *data);
void signals_destroy(struct signals *signals);

#endif
