// SPDX-License-Identifier: Apache-2.0
//
// Watches a descriptor on a libuv loop. The descriptor is the caller's and stays open at least as
// long as it is watched. The watcher is a block of its own, since libuv releases it only in a later
// turn: its owner may destroy it, close the descriptor and free itself at any moment, also inside
// the callback.

#ifndef MESOS_LUA_LOOP_POLL_WATCHER_H
#define MESOS_LUA_LOOP_POLL_WATCHER_H

#include "base/error.h"
#include "loop/loop.h"

#include <uv.h>

// `events` are UV_READABLE and the like; 0 is an error of the descriptor, which a read will report.
// The watcher goes on after an error as well.
typedef void (*poll_watcher_on_ready)(void *data, int fd, int events);

struct poll_watcher;

// NULL if it cannot be watched. Nothing is watched before poll_watcher_start().
struct poll_watcher *poll_watcher_create(struct loop *loop, int fd, poll_watcher_on_ready on_ready,
                                         void *data, struct error *err);
bool poll_watcher_start(struct poll_watcher *watcher, int events); // may change what is watched for
void poll_watcher_stop(struct poll_watcher *watcher);
void poll_watcher_destroy(struct poll_watcher *watcher); // NULL is fine; nothing is called after it

// The watcher does not keep the loop alive from now on.
void poll_watcher_unref(struct poll_watcher *watcher);

int poll_watcher_fd(const struct poll_watcher *watcher);

#endif
