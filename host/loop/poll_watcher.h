// SPDX-License-Identifier: Apache-2.0
//
// Waits on the loop of real time until a descriptor can be read, for rooms that do the reading
// themselves. It does not keep the loop alive.

#ifndef MESOS_LUA_LOOP_POLL_WATCHER_H
#define MESOS_LUA_LOOP_POLL_WATCHER_H

#include "loop/loop.h"

struct poll_watcher;

// The descriptor stays the caller's and must outlive the watcher; it is made non-blocking. The
// callback is called once in each turn as long as there is something to read, until the watcher is
// destroyed.
struct poll_watcher *poll_watcher_create(struct loop *loop, int descriptor, void (*callback)(void));

void poll_watcher_destroy(struct poll_watcher *watcher); // NULL is fine

#endif
