// SPDX-License-Identifier: Apache-2.0
//
// Which C function took the time of a slow callback, such as os.execute, a socket's receive or
// string.find, and what to use instead. A hook cannot see inside of a C function.

#ifndef MESOS_LUA_SCRIPT_SLOW_CALL_H
#define MESOS_LUA_SCRIPT_SLOW_CALL_H

#include <lua.h>
#include <stddef.h>

struct slow_call {
    char function[64];  // "os.execute"; empty: none is known
    const char *advice; // what to do, or ""
};

// For a hook that is called at the return of a function written in C, `ar` being the hook's.
// [-0, +0, -]
void slow_call_find(lua_State *L, lua_Debug *ar, struct slow_call *call);

#endif
