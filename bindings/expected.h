// SPDX-License-Identifier: Apache-2.0
//
// What the callbacks of a scheduler are given, for those who look at its code without running it
// (script/examine.h).

#ifndef MESOS_LUA_BINDINGS_EXPECTED_H
#define MESOS_LUA_BINDINGS_EXPECTED_H

#include "bindings/scheduler.h"
#include "script/examine.h"

// The rows for examine(), whose `data` is the scheduler. To be freed.
struct examine_parameter *expected_parameters(void);

#endif
