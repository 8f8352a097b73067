// SPDX-License-Identifier: Apache-2.0
//
// Runs that only last; see the header. A run is in one of three lists; those of the first and the
// last get their event in the next turn.

#include "agent/runner_virtual.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

TAILQ_HEAD(virtual_runs, run);
TAILQ_HEAD(virtual_probes, runner_probe);

struct runner_virtual {
    struct runner runner;
    struct loop *loop;
    runner_virtual_decide decide;
    void *data;
    struct virtual_runs starting, running, ending;
    struct virtual_probes probes;
    struct deferral turn;
};

struct run {
    TAILQ_ENTRY(run) link;
    struct runner_virtual *runner;
    struct virtual_runs *list;
    const struct runner_events *events;
    void *data;
    bool of_task; // its command has a task
    struct timer timer;
    struct runner_virtual_fate fate;
    char task_id[];
};

struct runner_probe {
    TAILQ_ENTRY(runner_probe) link;
    struct runner_virtual *runner;
    int value;
    runner_on_answer done;
    void *data;
};

static struct runner_virtual *self(struct runner *runner)
{
    return (struct runner_virtual *)runner;
}

// ---- the life of a run ----

static void move(struct run *run, struct virtual_runs *list)
{
    TAILQ_REMOVE(run->list, run, link);
    run->list = list;
    TAILQ_INSERT_TAIL(list, run, link);
}

static void forget(struct run *run)
{
    timer_stop(&run->timer);
    TAILQ_REMOVE(run->list, run, link);
    free(run);
}

static void end(struct run *run, const struct runner_end *how)
{
    timer_stop(&run->timer);
    run->fate.end = *how;
    move(run, &run->runner->ending);
    deferral_queue(&run->runner->turn);
}

static void on_over(void *data)
{
    struct run *run = data;
    end(run, &run->fate.end);
}

static void begin(struct run *run)
{
    move(run, &run->runner->running);
    if (run->fate.duration != RUNNER_VIRTUAL_ENDLESS)
        timer_start(&run->timer, run->fate.duration);
    run->events->started(run->data, 0);
}

static void answer(struct runner_probe *probe)
{
    const struct runner_probe answered = *probe;
    TAILQ_REMOVE(&probe->runner->probes, probe, link);
    free(probe);
    answered.done(answered.data, answered.value, NULL);
}

// An event may start, kill or forget any run, which is why each step looks at the lists anew.
static void on_turn(void *data)
{
    struct runner_virtual *runner = data;
    struct run *run;
    struct runner_probe *probe;
    while ((run = TAILQ_FIRST(&runner->starting)) != NULL)
        begin(run);
    while ((run = TAILQ_FIRST(&runner->ending)) != NULL) {
        const struct run ended = *run;
        forget(run);
        ended.events->exited(ended.data, &ended.fate.end);
    }
    while ((probe = TAILQ_FIRST(&runner->probes)) != NULL)
        answer(probe);
}

// ---- the runner ----

static void decide(struct run *run, const struct runner_command *command)
{
    run->fate.duration = command->purpose == RUNNER_TASK ? RUNNER_VIRTUAL_ENDLESS : 0;
    if (command->purpose != RUNNER_TASK)
        return;
    if (run->runner->decide != NULL)
        run->runner->decide(run->runner->data, command, command->task_id, &run->fate);
}

static struct run *start(struct runner *base, const struct runner_command *command,
                         const struct runner_events *events, void *data, struct error *err)
{
    struct runner_virtual *runner = self(base);
    (void)err;
    const char *task_id = command->task_id ? command->task_id : "";
    size_t size = strlen(task_id) + 1;
    struct run *run = memory_new(sizeof *run + size);
    memcpy(run->task_id, task_id, size);
    run->of_task = command->purpose == RUNNER_TASK && command->task_id != NULL;
    run->runner = runner;
    run->list = &runner->starting;
    run->events = events;
    run->data = data;
    timer_init(&run->timer, runner->loop, on_over, run);
    decide(run, command);
    TAILQ_INSERT_TAIL(run->list, run, link);
    deferral_queue(&runner->turn);
    return run;
}

static void kill_run(struct run *run, int signal)
{
    end(run, &(struct runner_end){.signal = signal});
}

static void limit(struct run *run, uint64_t memory)
{
    (void)run;
    (void)memory;
}

static struct runner_probe *ask(struct runner *base, const struct runner_question *question,
                                runner_on_answer done, void *data)
{
    struct runner_virtual *runner = self(base);
    struct runner_probe *probe = memory_new(sizeof *probe);
    *probe = (struct runner_probe){
        .runner = runner, .value = question->url ? 200 : 1, .done = done, .data = data};
    TAILQ_INSERT_TAIL(&runner->probes, probe, link);
    deferral_queue(&runner->turn);
    return probe;
}

static void cancel(struct runner_probe *probe)
{
    TAILQ_REMOVE(&probe->runner->probes, probe, link);
    free(probe);
}

static bool make_volume(struct runner *base, const char *path, struct error *err)
{
    (void)base;
    (void)path;
    (void)err;
    return true;
}

static void remove_volume(struct runner *base, const char *path, bool keep)
{
    (void)keep;
    (void)base;
    (void)path;
}

static bool add_link(struct runner *base, const char *directory, const struct runner_link *link,
                     const char *user, struct error *err)
{
    (void)base;
    (void)directory;
    (void)link;
    (void)user;
    (void)err;
    return true;
}

static void remove_link(struct runner *base, const char *directory, const char *name)
{
    (void)base;
    (void)directory;
    (void)name;
}

static void destroy(struct runner *base)
{
    struct runner_virtual *runner = self(base);
    struct virtual_runs *lists[] = {&runner->starting, &runner->running, &runner->ending};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        while (!TAILQ_EMPTY(lists[i]))
            forget(TAILQ_FIRST(lists[i]));
    while (!TAILQ_EMPTY(&runner->probes))
        cancel(TAILQ_FIRST(&runner->probes));
    deferral_cancel(&runner->turn);
    free(runner);
}

struct runner *runner_virtual_create(struct loop *loop, runner_virtual_decide decide_fate,
                                     void *data)
{
    static const struct runner_ops ops = {.start = start,
                                          .kill = kill_run,
                                          .limit = limit,
                                          .forget = forget,
                                          .ask = ask,
                                          .cancel = cancel,
                                          .make_volume = make_volume,
                                          .remove_volume = remove_volume,
                                          .link = add_link,
                                          .unlink = remove_link,
                                          .destroy = destroy};
    struct runner_virtual *runner = memory_new(sizeof *runner);
    *runner = (struct runner_virtual){
        .runner = {.ops = &ops, .idle = true}, .loop = loop, .decide = decide_fate, .data = data};
    TAILQ_INIT(&runner->starting);
    TAILQ_INIT(&runner->running);
    TAILQ_INIT(&runner->ending);
    TAILQ_INIT(&runner->probes);
    deferral_init(&runner->turn, loop, on_turn, runner);
    return &runner->runner;
}

size_t runner_virtual_end(struct runner *base, size_t count, int64_t status)
{
    struct runner_virtual *runner = self(base);
    const struct runner_end how = {.status = status};
    size_t ended = 0;
    for (struct run *run; ended < count && (run = TAILQ_FIRST(&runner->running)) != NULL; ended++)
        end(run, &how);
    return ended;
}

bool runner_virtual_end_task(struct runner *base, const char *task_id, const struct runner_end *how)
{
    struct run *run;
    TAILQ_FOREACH(run, &self(base)->running, link)
    {
        if (!run->of_task || strcmp(run->task_id, task_id) != 0)
            continue;
        end(run, how);
        return true;
    }
    return false;
}
