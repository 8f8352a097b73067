// SPDX-License-Identifier: Apache-2.0
//
// A runner whose runs only wait: each runs from the next turn of the loop on, and until it is told
// to end or is killed. It starts no process and writes no file. For specs and benchmarks of the
// local cluster's books.

#ifndef MESOS_LUA_SPEC_SUPPORT_WAITING_RUNNER_H
#define MESOS_LUA_SPEC_SUPPORT_WAITING_RUNNER_H

#include "agent/runner.h"
#include "loop/loop.h"

// Destroyed as any runner, by its destroy().
struct runner *waiting_runner_create(struct loop *loop);

// Ends the oldest runs with that exit status. Returns how many there were, at most `count`.
size_t waiting_runner_end(struct runner *runner, size_t count, int64_t status);

#endif
