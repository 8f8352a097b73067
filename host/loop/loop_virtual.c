// SPDX-License-Identifier: Apache-2.0
//
// The loop of virtual time: see loop_virtual.h. Nothing is armed, since loop_virtual_advance() asks
// for due timers itself.

#include "loop/loop_virtual.h"

#include "base/memory.h"

#include <stdlib.h>

struct loop_virtual {
    struct loop loop;
    uint64_t time;
    double wall;
};

static uint64_t now(struct loop *loop)
{
    return ((struct loop_virtual *)loop)->time;
}

static double wall(struct loop *loop)
{
    struct loop_virtual *loop_virtual = (struct loop_virtual *)loop;
    return loop_virtual->wall + (double)loop_virtual->time / (double)LOOP_SECOND;
}

static void arm(struct loop *loop)
{
    (void)loop;
}

static void destroy(struct loop *loop)
{
    loop_free(loop);
    free(loop);
}

static const struct loop_ops ops = {.now = now, .wall = wall, .arm = arm, .destroy = destroy};

struct loop *loop_virtual_create(double wall_seconds)
{
    struct loop_virtual *loop_virtual = memory_new(sizeof *loop_virtual);
    loop_init(&loop_virtual->loop, &ops);
    loop_virtual->wall = wall_seconds;
    return &loop_virtual->loop;
}

bool loop_virtual_turn(struct loop *loop, uint64_t end)
{
    struct loop_virtual *loop_virtual = (struct loop_virtual *)loop;
    uint64_t due = loop_due(loop);
    bool any = due <= end;
    uint64_t next = any ? due : end;
    if (next > loop_virtual->time)
        loop_virtual->time = next;
    if (!any)
        return false;
    loop_run_timers(loop);
    loop_run_deferred(loop);
    return true;
}

void loop_virtual_pass(struct loop *loop, uint64_t duration)
{
    struct loop_virtual *loop_virtual = (struct loop_virtual *)loop;
    if (duration < LOOP_NEVER - loop_virtual->time)
        loop_virtual->time += duration;
}

void loop_virtual_advance(struct loop *loop, uint64_t duration)
{
    uint64_t end = ((struct loop_virtual *)loop)->time + duration;
    while (loop_virtual_turn(loop, end))
        continue;
}
