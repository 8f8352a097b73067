// SPDX-License-Identifier: Apache-2.0
//
// The spawner that the launcher forks, from its own few pages, and hands over to the host that it
// becomes: the process stays the same, so the spawner is a child of the host, and the socket stays
// open. The variable MESOS_LUA_SPAWNER says which they are; it is gone from the environment once
// the host has taken them.

#ifndef MESOS_LUA_LOOP_SPAWNER_HANDOVER_H
#define MESOS_LUA_LOOP_SPAWNER_HANDOVER_H

#include <sys/types.h>

// In the launcher. If it fails nothing is handed over, and the host forks a spawner itself.
void spawner_handover_give(void);

// In the host. Returns the socket, as spawner_process_fork() does, or -1 if there is none.
int spawner_handover_take(pid_t *pid);

#endif
