// SPDX-License-Identifier: Apache-2.0
//
// Lua's garbage collector, moved out of callbacks. When no call into the script has run for a
// moment and its heap has grown since the last cycle, the collector does a cycle in short steps
// between the turns of the loop; events go first. A script that has not grown is left alone, so an
// idle host sleeps. The exception is a script whose objects pin much memory that is not Lua's,
// compared with its heap, such as the bytes of events: after a longer silence its heap is collected
// once, as those objects may be dead. At the end, memory that Lua and the driver freed goes back to
// the system. While events come without a pause, Lua collects inside callbacks, in small steps too.
//
// collector.c and protect.c call each other; protect.h says why.

#ifndef MESOS_LUA_SCRIPT_COLLECTOR_H
#define MESOS_LUA_SCRIPT_COLLECTOR_H

#include "loop/loop.h"

#include <lua.h>

struct script;

struct collector {
    struct timer timer;
    bool idle;       // True if it collects between turns of the loop.
    unsigned cycles; // still to be completed
    bool last;       // All that is left is to return memory, after a longer silence.
    bool seen;       // The whole heap was collected since the last call.
    size_t pinned;   // bytes outside the Lua heap that objects of the script hold
    size_t floor;    // bytes that were in use after the last cycle, or fewer since
    uint64_t calls;  // script.runs when the timer last looked
};

// `idle`: collect between turns; only on a loop of real time, which has quiet moments. `whole`:
// each cycle is one step, so objects are freed, and finalizers run, at the same places of a script
// in each process; for scripts on virtual time, which no pause disturbs.
void collector_open(struct script *script, bool idle, bool whole);
void collector_begin(struct script *script); // from now on; until then nothing is collected
void collector_register(lua_State *L);       // so objects of that state can find it // [-0, +0, m]
void collector_close(struct script *script);

// An object of Lua holds that many bytes outside the Lua heap, or has released them. Without effect
// in a state that belongs to no script. // [-0, +0, -]
void collector_pinned(lua_State *L, size_t bytes);
void collector_released(lua_State *L, size_t bytes);

// Called at the end of every call into the script.
void collector_wake(struct script *script);

#endif
