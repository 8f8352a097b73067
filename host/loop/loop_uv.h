// SPDX-License-Identifier: Apache-2.0
//
// The loop of real time, on a libuv loop that is ours or the embedder's.

#ifndef MESOS_LUA_LOOP_LOOP_UV_H
#define MESOS_LUA_LOOP_LOOP_UV_H

#include "loop/loop.h"

#include <uv.h>

// On `uv`, which stays the caller's and must outlive it, or, with NULL, on a libuv loop of its own.
// It keeps the libuv loop alive while timers or deferrals wait, and no longer.
struct loop *loop_uv_create(uv_loop_t *uv);

uv_loop_t *loop_uv_handle(struct loop *loop); // for rooms that use sockets, processes or signals

// Runs turns until loop_uv_stop(); may be called inside a callback (a script's own driver:run()),
// and then runs an inner round of the same loop.
void loop_uv_run(struct loop *loop, bool (*done)(void *data), void *data);

// Calls `callback` at the end of each turn, also of turns that the embedder runs, after the
// deferred functions; it may destroy the loop. NULL: no longer. It does not keep the libuv loop
// alive.
void loop_uv_follow(struct loop *loop, void (*callback)(void *data), void *data);

// Closes what was left open on a loop of its own and runs the close callbacks. After it,
// loop_destroy().
void loop_uv_drain(struct loop *loop);

#endif
