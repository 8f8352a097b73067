// SPDX-License-Identifier: Apache-2.0
//
// mesos.after, every, sleep, spawn and now: time, as the script sees it.

#ifndef MESOS_LUA_BINDINGS_LIB_TIMERS_H
#define MESOS_LUA_BINDINGS_LIB_TIMERS_H

#include "script/script.h"

// Adds the functions to the module table on top. // [-0, +0, e]
//
//   mesos.after(seconds, fn) -> handle    calls fn() once
//   mesos.every(seconds, fn) -> handle    calls fn() again and again; a call that still runs when
//                                         the next is due makes that one drop out
//   handle:cancel() -> boolean            no further call; was there one to come?
//   mesos.sleep(seconds)                  suspends the callback, timer or spawned function
//   mesos.spawn(fn, ...)                  calls fn(...) soon, beside whatever runs now
//   mesos.now() -> number                 seconds since the Unix epoch, by the loop's clock
//
// An error in one of the functions is logged with a traceback, behind the place where the function
// was handed over; an `every` goes on after it.
void timers_open(lua_State *L, struct script *script);

#endif
