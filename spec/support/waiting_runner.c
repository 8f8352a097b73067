// SPDX-License-Identifier: Apache-2.0
//
// Runs that only wait; see the header.

#include "waiting_runner.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

TAILQ_HEAD(runs, run);

struct waiting_runner {
    struct runner runner;
    struct runs starting, running, ending;
    struct deferral turn;
};

struct run {
    TAILQ_ENTRY(run) link;
    struct waiting_runner *runner;
    struct runs *list;
    const struct runner_events *events;
    void *data;
    struct runner_end end;
};

static void move(struct run *run, struct runs *list)
{
    TAILQ_REMOVE(run->list, run, link);
    run->list = list;
    TAILQ_INSERT_TAIL(list, run, link);
}

static void take(struct run *run)
{
    TAILQ_REMOVE(run->list, run, link);
    free(run);
}

static void on_turn(void *data)
{
    struct waiting_runner *runner = data;
    struct run *run;
    while ((run = TAILQ_FIRST(&runner->starting)) != NULL) {
        move(run, &runner->running);
        run->events->started(run->data, 0);
    }
    while ((run = TAILQ_FIRST(&runner->ending)) != NULL) {
        const struct run ended = *run;
        take(run);
        ended.events->exited(ended.data, &ended.end);
    }
}

static struct run *start(struct runner *base, const struct runner_command *command,
                         const struct runner_events *events, void *data, struct error *err)
{
    struct waiting_runner *runner = (struct waiting_runner *)base;
    (void)command;
    (void)err;
    struct run *run = memory_new(sizeof *run);
    *run =
        (struct run){.runner = runner, .list = &runner->starting, .events = events, .data = data};
    TAILQ_INSERT_TAIL(run->list, run, link);
    deferral_queue(&runner->turn);
    return run;
}

static void end(struct run *run, struct runner_end how)
{
    run->end = how;
    move(run, &run->runner->ending);
    deferral_queue(&run->runner->turn);
}

static void kill_run(struct run *run, int signal)
{
    end(run, (struct runner_end){.signal = signal});
}

static void limit(struct run *run, uint64_t memory)
{
    (void)run;
    (void)memory;
}

// No check is ever answered.
static struct runner_probe *ask(struct runner *runner, const struct runner_question *question,
                                runner_on_answer done, void *data)
{
    static char waiting;
    (void)runner;
    (void)question;
    (void)done;
    (void)data;
    return (struct runner_probe *)&waiting;
}

static void cancel(struct runner_probe *probe)
{
    (void)probe;
}

static bool make_volume(struct runner *base, const char *path, struct error *err)
{
    (void)base;
    (void)path;
    (void)err;
    return true;
}

static void remove_volume(struct runner *base, const char *path)
{
    (void)base;
    (void)path;
}

static bool add_link(struct runner *base, const char *directory, const struct runner_link *link,
                     const char *user, struct error *err)
{
    (void)base;
    (void)directory;
    (void)user;
    return strcmp(link->name, "unmakeable") != 0 || error_set(err, ERROR_IO, "it cannot be made");
}

static void remove_link(struct runner *base, const char *directory, const char *name)
{
    (void)base;
    (void)directory;
    (void)name;
}

static void destroy(struct runner *base)
{
    struct waiting_runner *runner = (struct waiting_runner *)base;
    struct runs *lists[] = {&runner->starting, &runner->running, &runner->ending};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        while (!TAILQ_EMPTY(lists[i]))
            take(TAILQ_FIRST(lists[i]));
    deferral_cancel(&runner->turn);
    free(runner);
}

struct runner *waiting_runner_create(struct loop *loop)
{
    static const struct runner_ops ops = {.start = start,
                                          .kill = kill_run,
                                          .limit = limit,
                                          .forget = take,
                                          .ask = ask,
                                          .cancel = cancel,
                                          .make_volume = make_volume,
                                          .remove_volume = remove_volume,
                                          .link = add_link,
                                          .unlink = remove_link,
                                          .destroy = destroy};
    struct waiting_runner *runner = memory_new(sizeof *runner);
    runner->runner.ops = &ops;
    TAILQ_INIT(&runner->starting);
    TAILQ_INIT(&runner->running);
    TAILQ_INIT(&runner->ending);
    deferral_init(&runner->turn, loop, on_turn, runner);
    return &runner->runner;
}

size_t waiting_runner_end(struct runner *base, size_t count, int64_t status)
{
    struct waiting_runner *runner = (struct waiting_runner *)base;
    size_t ended = 0;
    for (struct run *run; ended < count && (run = TAILQ_FIRST(&runner->running)) != NULL; ended++)
        end(run, (struct runner_end){.status = status});
    return ended;
}
