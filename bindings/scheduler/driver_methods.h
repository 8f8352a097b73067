// SPDX-License-Identifier: Apache-2.0
//
// The driver as Lua sees it: an object with the operations of the contract. It is a handle: it
// stays valid when the scheduler behind it is gone, and its operations raise then.

#ifndef MESOS_LUA_BINDINGS_SCHEDULER_DRIVER_METHODS_H
#define MESOS_LUA_BINDINGS_SCHEDULER_DRIVER_METHODS_H

#include "bindings/scheduler/scheduler.h"

// Makes the class, for a script whose drivers live in `environment`. // [-0, +0, e]
void driver_methods_open(lua_State *L, struct scheduler_environment *environment);

// Pushes mesos.SchedulerDriver, which makes a driver. // [-0, +1, m]
void driver_methods_push(lua_State *L, struct scheduler_environment *environment);

#endif
