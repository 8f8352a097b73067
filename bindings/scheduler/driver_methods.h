// SPDX-License-Identifier: Apache-2.0
//
// The driver as Lua sees it: an object with the operations of the contract. It is a handle: it
// stays valid, and says so, when the scheduler behind it is gone.

#ifndef MESOS_LUA_BINDINGS_SCHEDULER_DRIVER_METHODS_H
#define MESOS_LUA_BINDINGS_SCHEDULER_DRIVER_METHODS_H

#include "bindings/scheduler/scheduler.h"

// Adds SchedulerDriver and the DRIVER_ names to the module table on top of the stack.
// // [-0, +0, e]
void driver_methods_open(lua_State *L, struct scheduler_environment *environment);

// Pushes a handle for `scheduler`, which does not belong to it. // [-0, +1, m]
void driver_methods_push(lua_State *L, struct scheduler *scheduler);

// The registry of tasks of the driver object at `index`, or NULL if its scheduler is gone.
// // [-0, +0, -]
const struct tasks *driver_methods_registry(lua_State *L, int index);

#endif
