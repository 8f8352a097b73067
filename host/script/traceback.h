// SPDX-License-Identifier: Apache-2.0
//
// The text of an error: its message, the line where it was raised if the message does not name one,
// and the traceback, through coroutines of the script too.

#ifndef MESOS_LUA_SCRIPT_TRACEBACK_H
#define MESOS_LUA_SCRIPT_TRACEBACK_H

#include <lua.h>

// Replaces the error at the top, which ended `thread`, by its text; the trace begins at `level`.
// [-1, +1, e]
void traceback_text(lua_State *L, lua_State *thread, int level);

// Keeps the trace of a failed coroutine for the text of the error that it becomes, which is on top
// of `L`; `original` is the index of the coroutine's own error. // [-0, +0, m]
void traceback_keep(lua_State *L, lua_State *failed, int original);

// Drops the trace that traceback_keep() kept. // [-0, +0, -]
void traceback_forget(lua_State *L);

#endif
