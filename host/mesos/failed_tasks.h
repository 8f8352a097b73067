// SPDX-License-Identifier: Apache-2.0
//
// Failures of tasks, for the log: most scripts look at the state of an update and not at its
// message, which says why. The lines of a second are limited; the others are counted, and reported
// in one.

#ifndef MESOS_LUA_MESOS_FAILED_TASKS_H
#define MESOS_LUA_MESOS_FAILED_TASKS_H

#include "loop/loop.h"
#include "tasks/task_status.h"

struct failed_tasks {
    struct timer timer; // runs for a second from the first line on
    unsigned lines;     // since it was started
    size_t left_out;    // likewise
};

void failed_tasks_init(struct failed_tasks *failed, struct loop *loop);

// An update that came for the first time: `status` was read from `message`, a TaskStatus. It is
// ignored unless it reports a failure.
void failed_tasks_note(struct failed_tasks *failed, const struct task_status *status,
                       struct slice message);

void failed_tasks_stop(struct failed_tasks *failed); // logs what it has counted

#endif
