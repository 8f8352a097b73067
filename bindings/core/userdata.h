// SPDX-License-Identifier: Apache-2.0
//
// What C holds for a Lua object: memory, a timer, a process. Lua cannot be relied on to run a
// finalizer: one that comes while the stack or the memory is at its end is skipped, with a warning,
// and its object is freed all the same. So what is held lies in memory of its own and in a list of
// its state. A finalizer that runs lets go of it; what is left ends with the state.

#ifndef MESOS_LUA_BINDINGS_CORE_USERDATA_H
#define MESOS_LUA_BINDINGS_CORE_USERDATA_H

#include <lua.h>
#include <stddef.h>
#include <sys/queue.h>

// The first member of the struct of each type.
struct userdata {
    LIST_ENTRY(userdata) link; // of its state
    void (*end)(lua_State *L,
                struct userdata *userdata); // lets go of all but the memory of the struct itself
};

// Pushes the metatable of a type, with the finalizer in it; scripts do not get at it by
// getmetatable(). // [-0, +1, m]
void userdata_type(lua_State *L, const char *type);

// Pushes a userdata of that type, with so many user values, and returns the struct that belongs to
// it, `size` bytes, zero but for its first member. // [-0, +1, m]
void *userdata_push(lua_State *L, const char *type, size_t size, int values,
                    void (*end)(lua_State *L, struct userdata *userdata));

// The struct of the userdata at `index`, of which the type is known. // [-0, +0, -]
void *userdata_at(lua_State *L, int index);

// The same, or NULL if it is of another type, or has ended. // [-0, +0, m]
void *userdata_test(lua_State *L, int index, const char *type);

// The same, but raises. // [-0, +0, v]
void *userdata_check(lua_State *L, int index, const char *type);

#endif
