// SPDX-License-Identifier: Apache-2.0
//
// The module `sim.core`: what the Lua side of the simulator needs of C.
//
//     core.run { script =, arguments = {}, seed =, time =, plan = JSON, faults = JSON, duration =,
//                think =, wire =, limit =, callback_limit =, load_limit =, memory_limit =,
//                workload =, show_log =, jobs_file = path, jobs_key = text,
//                next = f() -> row or nil,
//                runtime = f(task, row) -> seconds, exit status or state name,
//                stub = f(name, arguments) -> list, both with their length in `n`,
//                progress = f(state) -> true to stop }
//         -> the result of a run, as host/sim/README.md has it, but `set` and `skipped`; or nil and
//            a message if the script, the plan or the faults are refused. Raises what `next`,
//            `runtime` and `progress` raise, and if `jobs_file`, which gets the rows of jobs_csv.h,
//            cannot be written.
//     core.write(text)        to the standard output, which print() does not reach
//     core.interrupted()      true after SIGINT or SIGTERM
//     core.seconds()          of real time, from an arbitrary start
//     core.on_terminal(1|2)   whether that is one; and its width
//     core.version            of this program
//     core.jobs_columns       those of jobs_csv.h
//
// Only script, plan and stub have no default.

#ifndef MESOS_LUA_BINDINGS_SIM_SIM_H
#define MESOS_LUA_BINDINGS_SIM_SIM_H

#include <lua.h>

int sim_open(lua_State *L); // its loader // [-0, +1, e]

#endif
