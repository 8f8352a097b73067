// SPDX-License-Identifier: Apache-2.0
//
// The module `sim.children`: the runs of a simulation as processes of this same program, a few at a
// time. Their standard output is what they give back; of their standard error the last lines are
// kept. They share nothing with this process, and are killed when it ends.
//
//     children.run(requests, options) -> results, stopped
//
//     requests   list of { arguments = { text, ... }, input = text or nil }: the words behind the
//                program's name, and its standard input
//     options    { jobs = how many at a time (1), limit = most bytes of an output (64 MiB),
//                  program = path (this program), progress = function or nil }
//     results    in the order of the requests, however they end, each a table:
//                  { output = text, log = text }           it exited with status 0
//                  { error = text, log = text }            it did not: why, in words
//                  { missing = true }                      it was not started any more
//                log: the last lines of its standard error
//     stopped    true if a signal or `progress` ended it early
//
// progress{ count =, ended =, running = } is called five times a second; if it returns true, no
// more are started, and those that run are sent SIGINT, and report what they have. SIGINT, SIGTERM
// and SIGHUP do the same; a second one kills them. No other `struct signals` may exist meanwhile
// (loop/signals.h). Raises only for wrong arguments, or what `progress` raises, which ends all.

#ifndef MESOS_LUA_BINDINGS_SIM_CHILDREN_H
#define MESOS_LUA_BINDINGS_SIM_CHILDREN_H

#include <lua.h>

int children_open(lua_State *L); // the loader of the module // [-0, +1, e]

#endif
