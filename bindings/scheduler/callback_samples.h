// SPDX-License-Identifier: Apache-2.0
//
// Samples of what the callbacks of a scheduler are given, for the linter, which looks at its code
// without running it (script/lint.h).

#ifndef MESOS_LUA_BINDINGS_SCHEDULER_CALLBACK_SAMPLES_H
#define MESOS_LUA_BINDINGS_SCHEDULER_CALLBACK_SAMPLES_H

#include "bindings/scheduler/scheduler.h"
#include "script/lint.h"

// The rows for lint_run(), whose `data` is the scheduler. To be freed.
struct lint_parameter *callback_samples_parameters(void);

#endif
