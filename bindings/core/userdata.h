// SPDX-License-Identifier: Apache-2.0
//
// What a Lua object owns in C: memory, a timer, a process. Lua does not always run a finalizer: if
// the stack or the memory is exhausted, it skips the finalizer with a warning and frees the object
// all the same. So what is owned lies in memory of its own and in a list of its state. A finalizer
// that runs releases it; what is left is released when the state closes.

#ifndef MESOS_LUA_BINDINGS_CORE_USERDATA_H
#define MESOS_LUA_BINDINGS_CORE_USERDATA_H

#include <lua.h>
#include <stddef.h>
#include <sys/queue.h>

// The first member of the struct of each type.
struct userdata {
    LIST_ENTRY(userdata) link; // of its state
    void (*end)(lua_State *L,
                struct userdata *userdata); // releases all but the memory of the struct itself
};

// Pushes the metatable of a type, with the finalizer in it; getmetatable() does not return it. //
// [-0, +1, m]
void userdata_type(lua_State *L, const char *type);

// Pushes a userdata of that type, a text that lives on, with `values` user values, and returns the
// struct that belongs to it, `size` bytes, zero but for its first member. // [-0, +1, m]
void *userdata_push(lua_State *L, const char *type, size_t size, int values,
                    void (*end)(lua_State *L, struct userdata *userdata));

// The struct of the userdata at `index`, of which the type is known. // [-0, +0, -]
void *userdata_at(lua_State *L, int index);

// The same, or NULL if it is of another type or was released. // [-0, +0, -]
void *userdata_test(lua_State *L, int index, const char *type);

// The same, but raises. // [-0, +0, v]
void *userdata_check(lua_State *L, int index, const char *type);

#endif
