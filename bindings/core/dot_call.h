// SPDX-License-Identifier: Apache-2.0
//
// Functions of a library are called with a dot, mesos.after(1, f), and methods with a colon. With a
// colon a function gets its library as the first argument, in front of the intended ones.

#ifndef MESOS_LUA_BINDINGS_CORE_DOT_CALL_H
#define MESOS_LUA_BINDINGS_CORE_DOT_CALL_H

#include <lua.h>

// The table at the top is the library of that name. // [-0, +0, m]
void dot_call_library(lua_State *L, const char *name);

// Raises if the table at index 1 is a library. // [-0, +0, e]
void dot_call_check_table(lua_State *L, const char *function);

// Raises if the function of that name was called with a colon: "mesos.after is called with a dot,
// not a colon". // [-0, +0, e]
static inline void dot_call_check(lua_State *L, const char *function)
{
    if (lua_type(L, 1) == LUA_TTABLE)
        dot_call_check_table(L, function);
}

#endif
