// SPDX-License-Identifier: Apache-2.0
//
// Collecting between the turns of the loop: see collector.h. The circle with protect.c, which calls
// collector_wake() while this file calls protect_collect() and protect_settle(), is explained in
// protect.h.

#include "script/collector.h"

#include "base/memory.h"
#include "base/stopwatch.h"
#include "script/script_internal.h"

enum {
    GROWN = 256 * 1024, // bytes; growth by that and by a quarter of what there was is worth a cycle
    ENDLESS = 63,       // logarithm of the size of a step that is a whole cycle
    SLABS = 64,         // whose pages are returned in one step
};

static const uint64_t quiet = 2000000; // nanoseconds without a call into the script
static const uint64_t long_quiet = 200000000;
static const double piece = 0.0005; // seconds of work in one turn

static const char registry_key;

static bool has_grown(const struct script *script)
{
    size_t used = script->heap.used, floor = script->collector.floor;
    return used > floor + floor / 4 + GROWN;
}

static bool pins_much(const struct script *script)
{
    size_t pinned = script->collector.pinned;
    return pinned > GROWN && pinned > script->heap.used / 4;
}

// Lua may have begun a cycle in a callback, and objects that died later count as alive in it. So
// this ends that cycle and does another one. Finalizers run in them.
static void collect(struct script *script)
{
    struct collector *collector = &script->collector;
    double end = stopwatch_seconds() + piece;
    if (collector->cycles == 0)
        collector->cycles = 2;
    script->busy++;
    while (collector->cycles > 0 && stopwatch_seconds() < end)
        if (protect_collect(script))
            collector->cycles--;
    if (collector->cycles == 0) {
        collector->floor = script->heap.used;
        collector->seen = true;
    }
    protect_settle(script);
}

// Nothing is left to be done at once; what remains is done after a longer silence.
static void finish(struct script *script)
{
    struct collector *collector = &script->collector;
    if (!collector->last) {
        collector->last = true;
        timer_start(&collector->timer, long_quiet);
    } else if (pins_much(script) && !collector->seen) {
        collect(script);
        timer_start(&collector->timer, 0);
    } else {
        collector->last = false;
        memory_trim();
    }
}

static void on_quiet(void *data)
{
    struct script *script = data;
    struct collector *collector = &script->collector;
    if (collector->calls != script->runs) {
        collector->calls = script->runs;
        collector->last = collector->seen = false;
        timer_start(&collector->timer, quiet);
    } else if (collector->cycles > 0 || has_grown(script)) {
        collect(script);
        timer_start(&collector->timer, 0);
    } else if (script_heap_trim(&script->heap, SLABS)) {
        timer_start(&collector->timer, 0);
    } else {
        finish(script);
    }
}

// The collector works in small steps, so it does not hold up a callback for long; a cycle begins
// when the heap has doubled, as is usual for Lua: earlier ones would mark as much for less garbage.
// While the libraries are opened and the script is compiled there is hardly any garbage, and each
// cycle would look at all there is.
//
// How much a small step does depends on the order of marking, which the addresses of C keys in the
// registry decide. What a whole cycle frees does not.
void collector_open(struct script *script, bool idle, bool whole)
{
    lua_gc(script->L, LUA_GCSTOP);
    lua_gc(script->L, LUA_GCINC, 200, 12, whole ? ENDLESS : 10);
    timer_init(&script->collector.timer, script->loop, on_quiet, script);
    script->collector.idle = idle;
}

void collector_begin(struct script *script)
{
    lua_gc(script->L, LUA_GCRESTART);
}

void collector_register(lua_State *L)
{
    lua_pushlightuserdata(L, &script_of(L)->collector);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_key);
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
    if (script->heap.used < collector->floor)
        collector->floor = script->heap.used;
    if ((has_grown(script) || pins_much(script)) && !timer_active(&collector->timer))
        timer_start(&collector->timer, quiet);
}

// NULL in a state that belongs to no script. // [-0, +0, -]
static struct collector *collector_of(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_key);
    struct collector *collector = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return collector;
}

void collector_pinned(lua_State *L, size_t bytes)
{
    struct collector *collector = collector_of(L);
    if (collector != NULL)
        collector->pinned += bytes;
}

void collector_released(lua_State *L, size_t bytes)
{
    struct collector *collector = collector_of(L);
    if (collector != NULL)
        collector->pinned -= bytes;
}
