// SPDX-License-Identifier: Apache-2.0
//
// An agent that is drained: it kills its tasks and takes no new ones. What it reports of them has
// the reason of that (agent_updates.c).

#ifndef MESOS_LUA_AGENT_AGENT_DRAIN_H
#define MESOS_LUA_AGENT_AGENT_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

struct agent;

// Kills all tasks. Grace periods are at most so many nanoseconds; negative: as long as they are.
// `gone`: what was killed is TASK_GONE_BY_OPERATOR to frameworks with PARTITION_AWARE.
void agent_drain_start(struct agent *agent, int64_t longest_grace, bool gone);

// It takes tasks again; those that are being killed are killed.
void agent_drain_end(struct agent *agent);

#endif
