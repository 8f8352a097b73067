// SPDX-License-Identifier: Apache-2.0
//
// What `check` knows of the arguments of an executor's callbacks.

#ifndef MESOS_LUA_BINDINGS_EXECUTOR_EXECUTOR_SAMPLES_H
#define MESOS_LUA_BINDINGS_EXECUTOR_EXECUTOR_SAMPLES_H

#include "script/lint.h"

struct executor_script;

// What lint_run() has to know; its parameters are to be freed.
struct lint_world executor_samples_world(struct executor_script *executor);

#endif
