// SPDX-License-Identifier: Apache-2.0
//
// The check and the health check of a task, as Mesos's command executor makes them: the first after
// a delay, the next one an interval after the end of the one before. A check reports its result
// when that changes. A health check reports each failure, and the first success behind it; failures
// in the grace period before the first success do not count, and so many in a row that the task is
// to be killed end it.

#ifndef MESOS_LUA_AGENT_TASK_CHECKS_H
#define MESOS_LUA_AGENT_TASK_CHECKS_H

#include "agent/runner.h"
#include "loop/loop.h"

#include "mesos/v1/mesos.pb-c.h"

struct task_checks;

struct task_checks_events {
    // Starts the command of a check in the sandbox of the task. NULL and an error if it cannot run.
    struct run *(*start)(void *data, const Mesos__V1__CommandInfo *command,
                         const struct runner_events *events, void *checker, struct error *err);
    // An update with task_checks_fill() is due, for this reason.
    void (*changed)(void *data, Mesos__V1__TaskStatus__Reason reason);
    void (*unhealthy)(void *data); // behind `changed`: the task is to be killed
};

// NULL if the task has neither. The task must outlive it.
struct task_checks *task_checks_create(struct loop *loop, struct runner *runner,
                                       const Mesos__V1__TaskInfo *task,
                                       const struct task_checks_events *events, void *data);
void task_checks_start(struct task_checks *checks); // the task runs; NULL is fine
void task_checks_stop(struct task_checks *checks);  // ends what is in flight; NULL is fine

// Frees it; what is in flight must have been stopped, or belongs to a runner that was destroyed.
// NULL is fine.
void task_checks_destroy(struct task_checks *checks);

// What updates say of it, valid until the next result: in each the result of the check, which is
// empty at first; after the first result of the health check, if `running`, whether it is healthy,
// and of a task that was killed for that, that it is not. NULL is fine.
void task_checks_fill(struct task_checks *checks, bool running, Mesos__V1__TaskStatus *status);

#endif
