// SPDX-License-Identifier: Apache-2.0
//
// The program of the simulator: one Lua state in which the modules of host/sim run, which the
// program has inside of it, as `sim.NAME`; beside them are the modules of the library, and
// `sim.core` (sim.h). It is not the state of any policy.
//
// The standard output belongs to the simulator: what a policy prints goes to stderr.

#ifndef MESOS_LUA_BINDINGS_SIM_SIM_PROGRAM_H
#define MESOS_LUA_BINDINGS_SIM_SIM_PROGRAM_H

#include "script/library.h"

#include <stddef.h>

enum sim_value_kind { SIM_TEXT, SIM_NUMBER, SIM_WHOLE, SIM_TRUTH, SIM_LIST };

// An option for main.lua, which gets a table of them by name. A text that is NULL and a number that
// is 0 are not in it; a list always is.
struct sim_value {
    const char *name;
    enum sim_value_kind kind;
    const char *text;
    double number; // or a truth
    const char *const *items;
    size_t count;
};

// Runs the function that sim/main.lua returns with these, and returns its result, the exit status;
// 1, and a message on stderr, if it raises.
int sim_program_run(const struct sim_value *values, size_t count);

extern const struct library_file sim_files[]; // the files of host/sim, made by the build

#endif
