// SPDX-License-Identifier: Apache-2.0
//
// What a process that leads a session uses, as /proc has it: time and memory of itself, and the
// time of its children that have ended.

#ifndef MESOS_LUA_OPERATOR_PROCESS_USAGE_H
#define MESOS_LUA_OPERATOR_PROCESS_USAGE_H

#include "mesos/v1/mesos.pb-c.h"

// Sets the fields that are known; none if the process is gone, or `pid` is 0.
void process_usage_fill(Mesos__V1__ResourceStatistics *statistics, int64_t pid);

#endif
