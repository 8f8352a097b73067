// SPDX-License-Identifier: Apache-2.0
//
// What a process and its descendants use, as /proc has it: time, also of those that have ended, and
// memory. As with a real agent, a process whose parent has ended before it is left out.

#ifndef MESOS_LUA_OPERATOR_PROCESS_USAGE_H
#define MESOS_LUA_OPERATOR_PROCESS_USAGE_H

#include "mesos/v1/mesos.pb-c.h"

#define PROCESS_USAGE_MOST 10000 // processes that are looked at

// Sets the fields that are known; none if the process is gone, or `pid` is 0.
void process_usage_fill(Mesos__V1__ResourceStatistics *statistics, int64_t pid);

#endif
