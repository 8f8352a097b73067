// SPDX-License-Identifier: Apache-2.0
//
// The executor of a task that is a command, which a real agent runs as a program of its own: it has
// the id of its task, runs it, and ends with it.

#ifndef MESOS_LUA_AGENT_COMMAND_EXECUTOR_H
#define MESOS_LUA_AGENT_COMMAND_EXECUTOR_H

#include "agent/agent_records.h"

extern const struct agent_executor_kind command_executor_kind;

#endif
