// SPDX-License-Identifier: Apache-2.0
//
// A thread that runs a loop, for drivers in a program that has no loop to share. All signals are
// blocked on it: they belong to the program.

#ifndef MESOS_LUA_LOOP_LOOP_THREAD_H
#define MESOS_LUA_LOOP_LOOP_THREAD_H

#include "base/error.h"
#include "loop/loop.h"

struct loop_thread;

// Starts a thread that runs `loop`, a loop of loop_uv.h with a libuv loop of its own, until
// `done(data)`, which is asked between turns. Then, still on that thread, it calls `ended(data)`
// and does not touch the loop any more. NULL if the system has no more threads.
struct loop_thread *loop_thread_start(struct loop *loop, bool (*done)(void *data),
                                      void (*ended)(void *data), void *data, struct error *err);

// True if the calling thread is the one that runs `loop`.
bool loop_thread_runs(const struct loop *loop);

// Waits for the end of the thread, and frees. Not on that thread itself.
void loop_thread_join(struct loop_thread *thread);

// The thread is not waited for, but by the end of the process (two seconds at most). It may be the
// calling one.
void loop_thread_release(struct loop_thread *thread);

#endif
