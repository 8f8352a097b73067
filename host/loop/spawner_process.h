// SPDX-License-Identifier: Apache-2.0
//
// The spawner: a small process beside the host that starts all its programs, so that no start
// copies the memory of the host, and ends them when the host is gone, however that ended. It is the
// subreaper of what it has started: a process that loses its parent becomes its child and is
// reaped.
//
// It has no descriptor of the host but one end of a socket (spawner_wire.h). When the other end is
// closed, it kills all its descendants, in other sessions too, until none is left, and ends. No
// signal but SIGKILL ends it before; it is a session of its own, which no terminal reaches.

#ifndef MESOS_LUA_LOOP_SPAWNER_PROCESS_H
#define MESOS_LUA_LOOP_SPAWNER_PROCESS_H

#include <sys/types.h>

// Forks it. Returns the host's end of the socket, which is closed by exec and does not block, or -1
// and errno.
int spawner_process_fork(pid_t *pid);

#endif
