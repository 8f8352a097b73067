// SPDX-License-Identifier: Apache-2.0
//
// A runner for the fuzz targets: it starts no process and touches no file, and its runs start, end
// and fail when the target says so. It aborts where a path leads out of the work folder, and
// refuses a few names on purpose: the user "nouser", and volumes and links named "unmakeable".

#ifndef MESOS_LUA_SPEC_SUPPORT_PRETEND_RUNNER_H
#define MESOS_LUA_SPEC_SUPPORT_PRETEND_RUNNER_H

#include "agent/runner.h"

// There is one; destroy() forgets its runs and probes, and it can be used again.
struct runner *pretend_runner(void);

// The oldest run that has not started starts.
void pretend_runner_begin(void);

// The oldest run ends with that status of its exit, or by the signal that it was sent; if it has
// not started it starts first. 5: it used more memory than it may. The oldest probe is answered
// with it too; 7: there is no answer.
void pretend_runner_end(int64_t status);

// The oldest run that has not started cannot be started.
void pretend_runner_fail(void);

#endif
