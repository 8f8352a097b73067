// SPDX-License-Identifier: Apache-2.0
//
// The runner of real processes, which the spawner starts (loop/spawner.h). Each run is a process
// with a session and process group of its own; what it left behind in the group is killed when it
// exits, so that a run that ended has ended. A command that cannot be executed leaves the reason in
// `stderr` and exits with status 1, as it does under a real agent; the reason is told with the end.
//
// The sandbox is created if need be: folders on the way can be passed through by all (0711), the
// sandbox belongs to the user of the run and is closed to others (0750). Its output goes into the
// files `stdout` and `stderr` there (0640). What a former run has left under these names is taken
// only if it is a plain file without another name; nothing else is opened, or waited for.

#ifndef MESOS_LUA_CLUSTER_RUNNER_PROCESS_H
#define MESOS_LUA_CLUSTER_RUNNER_PROCESS_H

#include "cluster/runner.h"
#include "loop/loop.h"

// On a loop of real time (loop_uv.h).
struct runner *runner_process_create(struct loop *loop);

#endif
