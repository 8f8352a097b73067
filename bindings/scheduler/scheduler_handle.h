// SPDX-License-Identifier: Apache-2.0
//
// The Lua object of a driver: a handle to a scheduler. It stays valid when the scheduler is gone;
// its operations raise then. A scheduler lists the handles that point to it, so it can clear them;
// this file knows no more of a scheduler than its address.

#ifndef MESOS_LUA_BINDINGS_SCHEDULER_SCHEDULER_HANDLE_H
#define MESOS_LUA_BINDINGS_SCHEDULER_SCHEDULER_HANDLE_H

#include <lua.h>
#include <sys/queue.h>

struct scheduler;
struct scheduler_handle;

// The handles of one scheduler, which owns the list but not the handles: they are Lua's.
LIST_HEAD(scheduler_handles, scheduler_handle);

// Makes the class, and leaves its metatable on the stack. // [-0, +1, m]
void scheduler_handle_open(lua_State *L);

// Pushes a handle that points nowhere yet. If it owns its scheduler, `destroy` is called with it
// when the handle is collected; otherwise `destroy` is NULL. // [-0, +1, m]
struct scheduler_handle *scheduler_handle_push(lua_State *L, void (*destroy)(struct scheduler *));

// Lets it point to `scheduler`, whose list it joins. Once for each handle.
void scheduler_handle_link(struct scheduler_handle *handle, struct scheduler *scheduler,
                           struct scheduler_handles *list);

// The scheduler of these handles is gone: from now on their operations raise.
void scheduler_handle_clear(struct scheduler_handles *list);

// Argument 1 as a handle whose scheduler is there; raises otherwise. // [-0, +0, v]
struct scheduler *scheduler_handle_check(lua_State *L);

// The scheduler behind the handle at `index`; NULL if that is no handle, or its scheduler is gone.
// // [-0, +0, -]
struct scheduler *scheduler_handle_at(lua_State *L, int index);

// What the script calls the operation that runs, for messages. // [-0, +0, -]
const char *scheduler_handle_operation(lua_State *L);

#endif
