// SPDX-License-Identifier: Apache-2.0
//
// What `check` knows of the arguments of an executor's callbacks.

#ifndef MESOS_LUA_BINDINGS_EXECUTOR_EXECUTOR_SAMPLES_H
#define MESOS_LUA_BINDINGS_EXECUTOR_EXECUTOR_SAMPLES_H

#include "script/lint.h"

// For lint_run(), with the executor as its data. The list is to be freed.
struct lint_parameter *executor_samples_parameters(void);

#endif
