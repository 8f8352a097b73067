// SPDX-License-Identifier: Apache-2.0
//
// The runner of real processes, which the spawner starts (loop/spawner.h). Each run is a process
// with a session and process group of its own; processes that it left in the group are killed when
// it exits, so none outlives its run. A command that cannot be executed leaves the reason in
// `stderr` and exits with status 1, as it does under a real agent; runner_end has the reason, too.
//
// The sandbox is created if need be: all users can pass through the folders above it (0711), the
// sandbox itself belongs to the user of the run and is closed to others (0750). Output is appended
// to the files `stdout` and `stderr` there (0640). What a former run has left under these names is
// used only if it is a regular file without another name; anything else is neither opened nor
// waited for.

#ifndef MESOS_LUA_AGENT_RUNNER_PROCESS_H
#define MESOS_LUA_AGENT_RUNNER_PROCESS_H

#include "agent/runner.h"
#include "loop/loop.h"

// On a loop of real time (loop_uv.h). `ca_file` has the authorities that downloads trust; NULL:
// those of the system. It is copied.
struct runner *runner_process_create(struct loop *loop, const char *ca_file);

#endif
