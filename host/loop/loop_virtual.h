// SPDX-License-Identifier: Apache-2.0
//
// The loop of virtual time, for tests and simulations: it stands still until it is told to go on.

#ifndef MESOS_LUA_LOOP_LOOP_VIRTUAL_H
#define MESOS_LUA_LOOP_LOOP_VIRTUAL_H

#include "loop/loop.h"

struct loop *
loop_virtual_create(double wall); // starts at 0 ns, and at `wall` seconds since the Unix epoch

// Lets `duration` nanoseconds pass, calling what falls due on the way, each at its own moment.
void loop_virtual_advance(struct loop *loop, uint64_t duration);

#endif
