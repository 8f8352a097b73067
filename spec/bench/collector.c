// SPDX-License-Identifier: Apache-2.0
//
// How long the collector holds up a callback when many tasks are known. A policy makes 200 small
// tables in each callback; events come without a pause, so all collecting happens inside of
// callbacks. The tasks are known to the driver's registry alone, to that and a table of the policy
// with a table of five fields for each, or there are none; the three take turns. What is told is
// the time of whole events in processor time, the policy's own work included.

#include "fixture.h"

#include "base/memory.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

enum { TASKS = 100000, EVENTS = 50000, TURNS = 50 };

static const struct variant {
    const char *name, *script;
    unsigned tasks;
    bool judged;
} variants[] = {
    {"no tasks", "", 0, false},
    {"100,000 tasks in the registry", "", TASKS, true},
    {"100,000 tasks in Lua tables as well",
     "local known = {}\n"
     "function s:statusUpdate(driver, status)\n"
     "known[status.task_id] = { task_id = status.task_id, agent_id = status.agent_id,\n"
     "state = status.state, updated = status.timestamp, executor_id = status.executor_id }\nend\n",
     TASKS, false},
};

enum { VARIANTS = sizeof variants / sizeof *variants };

struct measured {
    struct stage *stage;
    struct bytes *event;
    double *times; // nanoseconds
    size_t count;
    double bytes; // of one task
};

// The heap of Lua has an allocator of its own, for small blocks: what malloc() gave out is not all
// of it, and may be some of it.
static void make_known(struct measured *measured, const struct variant *variant)
{
    bool tables = *variant->script != 0;
    size_t c = mallinfo2().uordblks, lua = stage_script_memory(measured->stage);
    for (unsigned i = 0; i < variant->tasks; i++) {
        struct bytes *update = stage_task_update(i);
        stage_event(measured->stage, update);
        bytes_unref(update);
    }
    size_t more = tables ? stage_script_memory(measured->stage) - lua : mallinfo2().uordblks - c;
    if (variant->tasks > 0)
        measured->bytes = (double)more / variant->tasks;
}

static void start(struct measured *measured, const struct variant *variant)
{
    char text[2048];
    snprintf(text, sizeof text,
             "local s = {}\n%sfunction s:frameworkMessage() for i = 1, 200 do local t = { i } end "
             "end\nreturn s\n",
             variant->script);
    measured->stage = stage_create(text);
    measured->event = stage_message();
    measured->times = memory_new(EVENTS * sizeof *measured->times);
    make_known(measured, variant);
}

static void run(struct measured *measured, size_t events)
{
    for (size_t i = 0; i < events; i++) {
        uint64_t before = stage_now();
        stage_event(measured->stage, measured->event);
        measured->times[measured->count++] = (double)(stage_now() - before);
    }
}

static void print(struct measured *measured, const struct variant *variant)
{
    double middle = stage_median(measured->times, measured->count) / 1e6;
    double almost = measured->times[measured->count - measured->count / 1000 - 1] / 1e6;
    double worst = measured->times[measured->count - 1] / 1e6;
    printf("%-38s %9.3f %9.3f %9.3f ms %8.0f", variant->name, middle, almost, worst,
           measured->bytes);
    if (variant->judged)
        printf("\nfigure pause-999 %.2f\nfigure pause-worst %.2f", almost, worst);
    printf("\n");
}

int main(void)
{
    struct measured all[VARIANTS] = {{.stage = NULL}};
    bool good = true;
    for (int i = 0; i < VARIANTS; i++)
        start(&all[i], &variants[i]);
    for (int turn = 0; turn < TURNS; turn++)
        for (int i = 0; i < VARIANTS; i++)
            run(&all[i], EVENTS / TURNS);
    printf("%-38s %9s %9s %9s %15s\n", "events whose callback makes 200 tables", "median", "99.9%",
           "worst", "bytes a task");
    for (int i = 0; i < VARIANTS; i++) {
        if (stage_failures(all[i].stage) > 0)
            good = false, fprintf(stderr, "bench: callbacks failed\n");
        print(&all[i], &variants[i]);
        stage_destroy(all[i].stage);
        bytes_unref(all[i].event);
        free(all[i].times);
    }
    return good ? 0 : 1;
}
