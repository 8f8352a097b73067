// SPDX-License-Identifier: Apache-2.0
//
// Collecting between the turns of the loop: see collector.h.

#include "script/collector.h"

#include "base/clock.h"
#include "script/world.h"

enum {
    GROWN = 256 * 1024, // bytes, and a quarter of what there was: worth a cycle
    SLABS = 64,         // whose pages are given back in one step
};

static const uint64_t quiet = 2000000; // nanoseconds without a call into the script
static const double piece = 0.0005;    // seconds of work in one turn

static bool has_grown(const struct script *script)
{
    size_t used = script->memory.used, floor = script->collector.floor;
    return used > floor + floor / 4 + GROWN;
}

// Finalizers run in it.
static void collect(struct script *script)
{
    double end = clock_seconds() + piece;
    bool done = false;
    script->busy++;
    while (!done && clock_seconds() < end)
        done = protect_collect(script);
    script->collector.cycle = !done;
    if (done)
        script->collector.floor = script->memory.used;
    protect_settle(script);
}

static void on_quiet(void *data)
{
    struct script *script = data;
    struct collector *collector = &script->collector;
    if (collector->calls != script->runs) {
        collector->calls = script->runs;
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
    if (!collector->idle)
        return;
    if (script->memory.used < collector->floor)
        collector->floor = script->memory.used;
    if (has_grown(script) && !timer_active(&collector->timer))
        timer_start(&collector->timer, quiet);
}
