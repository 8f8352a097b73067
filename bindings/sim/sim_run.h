// SPDX-License-Identifier: Apache-2.0
//
// A run that a call of core.run makes, for the files that do its parts: sim.c (the settings),
// sim_run_events.c (the functions among them), sim_run_result.c (the result). It is a userdata; the
// functions are called on the stack of that call, where the settings, the run and a table of rows
// are.

#ifndef MESOS_LUA_BINDINGS_SIM_SIM_RUN_H
#define MESOS_LUA_BINDINGS_SIM_SIM_RUN_H

#include "bindings/core/userdata.h"
#include "bindings/sim/simulation.h"

#include <lua.h>

enum { SIM_RUN_SETTINGS = 1, SIM_RUN_ROWS = 3 }; // places on the stack of core.run; the run is at 2

struct sim_run {
    struct userdata base;
    struct simulation *simulation;
    struct simulation_events events;
    lua_State *L; // of core.run
};

// Fills `events` from the settings' functions, which are called on this stack. // [-0, +3, e]
void sim_run_read_events(lua_State *L, struct sim_run *run);

// The result, as host/sim/README.md has it. // [-0, +1, m]
void sim_run_push_result(lua_State *L, const struct simulation *simulation);

// Fields of the table at the top. // [-0, +0, m]
void sim_run_set_text(lua_State *L, const char *name, const char *text);
void sim_run_set_number(lua_State *L, const char *name, double number);
void sim_run_set_whole(lua_State *L, const char *name, uint64_t number);

#endif
