// SPDX-License-Identifier: Apache-2.0
//
// What it costs a script to ask for its tasks, with 100,000 of them known: each question in one
// callback, to the driver's registry and to a table of the script's own, which holds a table of
// five fields for each task. The two take turns; what counts is the ratio of the medians.

#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum { TASKS = 100000, ROUNDS = 15 };

static const char head[] =
    "local s, known, sum = {}, {}, 0\n"
    "function s:statusUpdate(driver, status)\n"
    "known[status.task_id] = { task_id = status.task_id, agent_id = status.agent_id,\n"
    "state = status.state, updated = status.timestamp, executor_id = status.executor_id }\nend\n"
    "function s:frameworkMessage(driver)\n";

// What is asked, `times` times a callback.
static const struct question {
    const char *name, *registry, *table;
    unsigned times;
} questions[] = {
    {"the state of every task", "for task in driver:tasks() do sum = sum + #task.state end",
     "for id, task in pairs(known) do sum = sum + #task.state end", 1},
    {"the tasks of one agent",
     "for i = 1, 1000 do for task in driver:tasks { agent_id = "
     "'8a1d8f0e-5b3c-4f1c-9a53-0d4f6b1f7a22-S17' } do sum = sum + 1 end end",
     "local wanted = '8a1d8f0e-5b3c-4f1c-9a53-0d4f6b1f7a22-S17'\n"
     "for id, task in pairs(known) do if task.agent_id == wanted then sum = sum + 1 end end",
     1000},
    {"how many run", "for i = 1, 1000 do sum = sum + #driver:tasks { state = 'TASK_RUNNING' } end",
     "for id, task in pairs(known) do if task.state == 'TASK_RUNNING' then sum = sum + 1 end end",
     1000},
    {"the state of one task",
     "for i = 1, 1000 do sum = sum + #driver:task('job-' .. i .. '-attempt-2').state end",
     "for i = 1, 1000 do sum = sum + #known['job-' .. i .. '-attempt-2'].state end", 1000},
};

enum { QUESTIONS = sizeof questions / sizeof *questions };

static struct stage *make_stage(const char *code)
{
    char text[2048];
    snprintf(text, sizeof text, "%s%s\nend\nreturn s\n", head, code);
    struct stage *stage = stage_create(text);
    for (unsigned i = 0; i < TASKS; i++) {
        struct bytes *update = stage_task_update(i);
        stage_event(stage, update);
        bytes_unref(update);
    }
    return stage;
}

static double time_event(struct stage *stage, struct bytes *event)
{
    uint64_t start = stage_now();
    stage_event(stage, event);
    return (double)(stage_now() - start);
}

static void ask(const struct question *question)
{
    struct stage *registry = make_stage(question->registry), *table = make_stage(question->table);
    struct bytes *event = stage_message();
    double ours[ROUNDS], theirs[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = time_event(registry, event);
        theirs[i] = time_event(table, event);
    }
    bool scan = question->times > 1 && question != &questions[QUESTIONS - 1];
    double mine = stage_median(ours, ROUNDS) / question->times;
    double base = stage_median(theirs, ROUNDS) / (scan ? 1 : question->times);
    printf("%-30s %12.2f us %12.2f us %10.4f\n", question->name, mine / 1e3, base / 1e3,
           mine / base);
    if (stage_failures(registry) + stage_failures(table) > 0) {
        fprintf(stderr, "bench: callbacks failed\n");
        exit(1);
    }
    stage_destroy(registry);
    stage_destroy(table);
    bytes_unref(event);
}

int main(void)
{
    printf("%-30s %15s %15s %10s\n", "asked once, 100,000 tasks", "driver:tasks()", "Lua tables",
           "ratio");
    for (size_t i = 0; i < QUESTIONS; i++)
        ask(&questions[i]);
    return 0;
}
