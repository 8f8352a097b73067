// SPDX-License-Identifier: Apache-2.0
//
// The loop of virtual time, for tests and simulations: time stands still until it is advanced.

#ifndef MESOS_LUA_LOOP_LOOP_VIRTUAL_H
#define MESOS_LUA_LOOP_LOOP_VIRTUAL_H

#include "loop/loop.h"

struct loop *
loop_virtual_create(double wall); // starts at 0 ns, and at `wall` seconds since the Unix epoch

// One turn: the clock goes to when the next work is due, and that is done. False if none is due
// until `end`, in nanoseconds of loop_now(); then the clock is there.
bool loop_virtual_turn(struct loop *loop, uint64_t end);

// Lets time pass while work is done: what becomes due meanwhile is late, and comes with the next
// turn.
void loop_virtual_pass(struct loop *loop, uint64_t duration);

// Advances the clock by `duration` nanoseconds, calling each timer at its own due time.
void loop_virtual_advance(struct loop *loop, uint64_t duration);

#endif
