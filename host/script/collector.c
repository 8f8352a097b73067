// SPDX-License-Identifier: Apache-2.0
//
// Collecting between the turns of the loop: see collector.h.

#include "script/collector.h"

#include "script/world.h"

#include <time.h>

enum {
    GROWN = 256 * 1024, // bytes, and a quarter of what there was: worth a cycle
    SLABS = 64,         // whose pages are given back in one step
};

static const uint64_t quiet = 2000000; // nanoseconds without a call into the script
static const uint64_t piece = 500000;  // nanoseconds of work in one turn

static bool has_grown(const struct script *script)
{
    size_t used = script->memory.used, floor = script->collector.floor;
    return used > floor + floor / 4 + GROWN;
}

static uint64_t machine_time(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * LOOP_SECOND + (uint64_t)time.tv_nsec;
}

// Finalizers run in it.
static void collect(struct script *script)
{
    uint64_t end = machine_time() + piece;
    bool done = false;
    script->busy++;
    while (!done && machine_time() < end)
        done = lua_gc(script->L, LUA_GCSTEP, 0) != 0;
    script->collector.cycle = !done;
    if (done)
        script->collector.floor = script->memory.used;
    protect_settle(script);
}

static void on_quiet(void *data)
{
    struct script *script = data;
    struct collector *collector = &script->collector;
    if (collector->calls != script->calls) {
        collector->calls = script->calls;
        timer_start(&collector->timer, quiet);
    } else if (collector->cycle || has_grown(script)) {
        collect(script);
        timer_start(&collector->timer, 0);
    } else if (allocator_trim(&script->memory, SLABS)) {
        timer_start(&collector->timer, 0);
    }
}

// The collector works in small steps, started early: a callback should not be held up by it.
void collector_open(struct script *script, bool idle)
{
    lua_gc(script->L, LUA_GCINC, 150, 12, 10);
    timer_init(&script->collector.timer, script->loop, on_quiet, script);
    script->collector.idle = idle;
}

void collector_close(struct script *script)
{
    if (script->collector.idle)
        timer_stop(&script->collector.timer);
}

void collector_wake(struct script *script)
{
    struct collector *collector = &script->collector;
    script->calls++;
    if (!collector->idle)
        return;
    if (script->memory.used < collector->floor)
        collector->floor = script->memory.used;
    if (has_grown(script) && !timer_active(&collector->timer))
        timer_start(&collector->timer, quiet);
}
