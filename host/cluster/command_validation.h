// SPDX-License-Identifier: Apache-2.0
//
// What a master finds wrong with the commands, checks, health checks and containers of a task, in
// Mesos's words. The path of the task is put in front by the caller.

#ifndef MESOS_LUA_CLUSTER_COMMAND_VALIDATION_H
#define MESOS_LUA_CLUSTER_COMMAND_VALIDATION_H

#include "base/error.h"

#include "mesos/v1/mesos.pb-c.h"

bool command_validation_command(const Mesos__V1__CommandInfo *command, struct error *err);
bool command_validation_check(const Mesos__V1__CheckInfo *check, struct error *err);
bool command_validation_health_check(const Mesos__V1__HealthCheck *health, struct error *err);
bool command_validation_container(const Mesos__V1__ContainerInfo *container, struct error *err);

// The uris of a command, which an agent looks at before it fetches the first.
bool command_validation_uris(const Mesos__V1__CommandInfo *command, struct error *err);

#endif
