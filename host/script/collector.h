// SPDX-License-Identifier: Apache-2.0
//
// Lua's collector, moved out of the way of callbacks: when the script has been quiet for a moment
// and has grown since the last cycle, the collector does a cycle in short steps between the turns
// of the loop, with whatever happens going first. A script that has not grown is left alone, so
// that an idle host sleeps. While events come without a pause, Lua collects inside of callbacks, in
// steps that are small as well.

#ifndef MESOS_LUA_SCRIPT_COLLECTOR_H
#define MESOS_LUA_SCRIPT_COLLECTOR_H

#include "loop/loop.h"

struct script;

struct collector {
    struct timer timer;
    bool idle;      // may it collect between turns?
    bool cycle;     // it has begun a cycle
    size_t floor;   // bytes that were in use after the last cycle, or fewer since
    uint64_t calls; // of the script, when it was looked at last
};

// `idle`: on a loop of real time, where there are quiet moments.
void collector_open(struct script *script, bool idle);
void collector_close(struct script *script);

// Called at the end of every call into the script.
void collector_wake(struct script *script);

#endif
