// SPDX-License-Identifier: Apache-2.0
//
// The environment that an agent gives to an executor of a framework.

#ifndef MESOS_LUA_AGENT_CUSTOM_ENVIRONMENT_H
#define MESOS_LUA_AGENT_CUSTOM_ENVIRONMENT_H

#include "agent/agent_records.h"

#define CUSTOM_SHUTDOWN_GRACE_SECONDS 5 // if the executor does not say

// `token` is what the executor has to authenticate itself with, or NULL. task_command_free() it.
struct task_words custom_environment(const struct agent_executor *executor, const char *token);

#endif
