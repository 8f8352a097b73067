// SPDX-License-Identifier: Apache-2.0
//
// The default executor of Mesos, which runs groups of tasks. A real agent runs it as a program that
// starts its tasks in containers of its own container; here it is a part of the agent. The tasks of
// a group start together, and if one fails or is killed, the others are killed. It ends when its
// last task has ended.

#ifndef MESOS_LUA_AGENT_DEFAULT_EXECUTOR_H
#define MESOS_LUA_AGENT_DEFAULT_EXECUTOR_H

#include "agent/agent_records.h"

extern const struct agent_executor_kind default_executor_kind;

#endif
