// SPDX-License-Identifier: Apache-2.0
//
// The runner of real processes. Each run is a process with a session and process group of its own;
// what it left behind in the group is killed when it exits, so that a run that ended has ended. Its
// output goes into the files `stdout` and `stderr` of its sandbox, which is created if need be. A
// command that cannot be executed leaves the reason in `stderr` and exits with status 1, as it does
// under a real agent.

#ifndef MESOS_LUA_CLUSTER_RUNNER_PROCESS_H
#define MESOS_LUA_CLUSTER_RUNNER_PROCESS_H

#include "cluster/runner.h"
#include "loop/loop.h"

// On a loop of real time (loop_uv.h).
struct runner *runner_process_create(struct loop *loop);

#endif
