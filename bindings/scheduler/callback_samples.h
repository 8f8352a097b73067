// SPDX-License-Identifier: Apache-2.0
//
// Samples of what the callbacks of a scheduler are given, and what the operations of its driver
// take, for the linter, which looks at its code
// without running it (script/lint.h).

#ifndef MESOS_LUA_BINDINGS_SCHEDULER_CALLBACK_SAMPLES_H
#define MESOS_LUA_BINDINGS_SCHEDULER_CALLBACK_SAMPLES_H

#include "bindings/scheduler/scheduler.h"
#include "script/lint.h"

// What lint_run() has to know; its parameters are to be freed.
struct lint_world callback_samples_world(struct scheduler *scheduler);

#endif
