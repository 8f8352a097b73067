// SPDX-License-Identifier: Apache-2.0
//
// A runner whose runs only last: it starts no process and writes no file. It works on any loop, and
// on one of virtual time an hour of a task takes no time. For tests of policies, the simulator, and
// the specs and benchmarks of the local cluster's books.
//
// A task's run starts in the next turn of the loop. How long it lasts, and how it ends, is up to
// the creator of the runner; until then it can be killed, or told to end. What only fetches files,
// or checks on a task, ends well at once, and servers that a check asks answer at once, with 200.

#ifndef MESOS_LUA_AGENT_RUNNER_VIRTUAL_H
#define MESOS_LUA_AGENT_RUNNER_VIRTUAL_H

#include "agent/runner.h"
#include "loop/loop.h"

#define RUNNER_VIRTUAL_ENDLESS LOOP_NEVER

// What becomes of a run that nothing kills.
struct runner_virtual_fate {
    uint64_t duration;     // nanoseconds from its start; ENDLESS at first
    struct runner_end end; // with status 0 at first
};

// Decides on the run of a task, before it starts. `task_id` is NULL if the command has none.
typedef void (*runner_virtual_decide)(void *data, const struct runner_command *command,
                                      const char *task_id, struct runner_virtual_fate *fate);

// `decide` NULL: all runs are endless. Destroyed as any runner, by its destroy().
struct runner *runner_virtual_create(struct loop *loop, runner_virtual_decide decide, void *data);

// Ends the oldest runs of tasks with that exit status. Returns how many there were, at most
// `count`.
size_t runner_virtual_end(struct runner *runner, size_t count, int64_t status);

// Ends the run of that task, which takes a search among all. False: there is none that has started.
bool runner_virtual_end_task(struct runner *runner, const char *task_id,
                             const struct runner_end *end);

#endif
