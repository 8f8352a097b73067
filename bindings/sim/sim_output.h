// SPDX-License-Identifier: Apache-2.0
//
// The standard output of the simulator, which no policy reaches: what one prints goes to stderr.

#ifndef MESOS_LUA_BINDINGS_SIM_SIM_OUTPUT_H
#define MESOS_LUA_BINDINGS_SIM_SIM_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

void sim_output_take(void);                             // from now on descriptor 1 is stderr
bool sim_output_write(const char *text, size_t length); // false: errno says why; waits for room

// True if that output (1: the standard one, 2: stderr) is a terminal, and how wide it is, or 80.
bool sim_output_terminal(int which, unsigned *columns);

#endif
