// SPDX-License-Identifier: Apache-2.0
//
// How much memory the tasks use, each a session of processes, looked at about once a second: it
// needs no rights and no cgroups, so it works wherever the cluster does. A task that is quicker
// than that may use more for a moment. What has left its session (setsid) is not counted, and
// neither are the pages of files and of shared memory; what processes share after a fork counts
// once.

#ifndef MESOS_LUA_AGENT_MEMORY_WATCH_H
#define MESOS_LUA_AGENT_MEMORY_WATCH_H

#include "loop/loop.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

struct memory_watch;

// A session; the owner has the memory.
struct memory_watched {
    pid_t session;  // the process that leads it; 0: it is not watched
    uint64_t limit; // bytes
    size_t slot;    // in the pass that runs
    bool suspected; // it seemed to have more in the last pass
    LIST_ENTRY(memory_watched) link;
};

// Called from the loop, again after each look, while the session has more than its limit. It may
// remove the session.
typedef void (*memory_watch_on_exceeded)(struct memory_watched *watched, uint64_t used);

struct memory_watch *memory_watch_create(struct loop *loop, memory_watch_on_exceeded on_exceeded);
void memory_watch_destroy(struct memory_watch *watch); // nothing is watched any more

void memory_watch_add(struct memory_watch *watch, struct memory_watched *watched, pid_t session,
                      uint64_t limit);
void memory_watch_remove(struct memory_watch *watch, struct memory_watched *watched); // if it is

#endif
