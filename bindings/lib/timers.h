// SPDX-License-Identifier: Apache-2.0
//
// mesos.after, every, sleep, spawn and now: time, as the script sees it.

#ifndef MESOS_LUA_BINDINGS_LIB_TIMERS_H
#define MESOS_LUA_BINDINGS_LIB_TIMERS_H

#include <lua.h>

//   mesos.after(seconds, fn) -> handle    calls fn() once
//   mesos.every(seconds, fn) -> handle    calls fn() again and again; while a call still runs, the
//                                         calls that fall due are skipped
//   handle:cancel() -> boolean            no further call; true if there was one to come
//   mesos.sleep(seconds)                  suspends the callback, timer or spawned function
//   mesos.spawn(fn, ...)                  calls fn(...) soon, beside what runs now
//   mesos.now() -> number                 seconds since the Unix epoch, by the loop's clock
//
// An error in one of the functions is logged with a traceback, behind the line where the function
// was passed; an `every` goes on after it.
int l_after(lua_State *L); // [-n, +1, e]
int l_every(lua_State *L); // [-n, +1, e]
int l_sleep(lua_State *L); // [-n, +0, e]
int l_spawn(lua_State *L); // [-n, +0, e]
int l_now(lua_State *L);   // [-n, +1, e]

void timers_open(lua_State *L); // the types of their userdata // [-0, +0, e]

#endif
