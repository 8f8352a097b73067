// SPDX-License-Identifier: Apache-2.0
//
// Validation of the commands, checks, health checks and containers of a task, with the error texts
// of Mesos. The caller prefixes them with the part of the task.

#ifndef MESOS_LUA_AGENT_COMMAND_VALIDATION_H
#define MESOS_LUA_AGENT_COMMAND_VALIDATION_H

#include "base/error.h"

#include "mesos/v1/mesos.pb-c.h"

bool command_validation_command(const Mesos__V1__CommandInfo *command, struct error *err);
bool command_validation_check(const Mesos__V1__CheckInfo *check, struct error *err);
bool command_validation_health_check(const Mesos__V1__HealthCheck *health, struct error *err);
bool command_validation_container(const Mesos__V1__ContainerInfo *container, struct error *err);

// The uris of a command, which an agent checks before it fetches the first.
bool command_validation_uris(const Mesos__V1__CommandInfo *command, struct error *err);

#endif
