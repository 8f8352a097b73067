// SPDX-License-Identifier: Apache-2.0
//
// Lua's collector, moved out of the way of callbacks: when the script has been quiet for a moment
// and has grown since the last cycle, the collector does a cycle in short steps between the turns
// of the loop, with whatever happens going first. A script that has not grown is left alone, so
// that an idle host sleeps; but for one that pins much, compared with its heap, that is not Lua's,
// such as the bytes of events: after a longer silence its heap is looked at once, as the objects
// that pin them may be dead. At the end of it all, memory that was freed, by Lua and by the driver,
// goes back to the system. While events come without a pause, Lua collects inside of callbacks, in
// steps that are small as well.

#ifndef MESOS_LUA_SCRIPT_COLLECTOR_H
#define MESOS_LUA_SCRIPT_COLLECTOR_H

#include "loop/loop.h"

#include <lua.h>

struct script;

struct collector {
    struct timer timer;
    bool idle;       // may it collect between turns?
    unsigned cycles; // to be completed
    bool last;       // only memory is left to be given back, after a longer silence
    bool seen;       // the whole heap was looked at since the last call
    size_t pinned;   // bytes of others that objects of the script keep
    size_t floor;    // bytes that were in use after the last cycle, or fewer since
    uint64_t calls;  // of the script, when it was looked at last
};

// `idle`: on a loop of real time, where there are quiet moments.
void collector_open(struct script *script, bool idle);
void collector_register(lua_State *L); // so that objects find it // [-0, +0, m]
void collector_close(struct script *script);

// An object of Lua keeps so many bytes that are not Lua's, or has let go of them. Without effect in
// a state that is no script's. // [-0, +0, -]
void collector_pinned(lua_State *L, size_t bytes);
void collector_released(lua_State *L, size_t bytes);

// Called at the end of every call into the script.
void collector_wake(struct script *script);

#endif
