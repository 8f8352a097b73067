// SPDX-License-Identifier: Apache-2.0
//
// Executors of frameworks: programs that subscribe to the agent, get their tasks as events, and
// report by calls. They may be disconnected for a while; events of that time are lost, as with a
// real agent.

#ifndef MESOS_LUA_AGENT_CUSTOM_EXECUTOR_H
#define MESOS_LUA_AGENT_CUSTOM_EXECUTOR_H

#include "agent/agent_records.h"

extern const struct agent_executor_kind custom_executor_kind;

// What it has to authenticate itself with; NULL: it need not.
const char *custom_executor_token(const struct agent_executor *executor);

#endif
