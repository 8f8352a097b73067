// SPDX-License-Identifier: Apache-2.0
//
// See pretend_runner.h. Runs and probes lie in two lists, the oldest first.

#include "pretend_runner.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum { PID = 77, EXCEEDED = 5, NO_ANSWER = 7 };

struct run {
    TAILQ_ENTRY(run) link;
    const struct runner_events *events;
    void *data;
    int signal;
    bool started;
};

struct runner_probe {
    TAILQ_ENTRY(runner_probe) link;
    runner_on_answer done;
    void *data;
};

static TAILQ_HEAD(, run) runs = TAILQ_HEAD_INITIALIZER(runs);
static TAILQ_HEAD(, runner_probe) probes = TAILQ_HEAD_INITIALIZER(probes);

static void check_path(const char *path)
{
    if (strstr(path, "/../") != NULL)
        abort(); // no id may lead out of the work folder
}

// ---- runs ----

static struct run *start(struct runner *runner, const struct runner_command *command,
                         const struct runner_events *events, void *data, struct error *err)
{
    (void)runner;
    check_path(command->directory);
    if (command->user != NULL && strcmp(command->user, "nouser") == 0) {
        error_set(err, ERROR_INVALID, "no such user");
        return NULL;
    }
    struct run *run = memory_new(sizeof *run);
    run->events = events;
    run->data = data;
    TAILQ_INSERT_TAIL(&runs, run, link);
    return run;
}

static void kill_run(struct run *run, int signal)
{
    run->signal = signal;
}

static void limit(struct run *run, uint64_t memory)
{
    (void)run;
    (void)memory;
}

static void forget_run(struct run *run)
{
    TAILQ_REMOVE(&runs, run, link);
    free(run);
}

static struct run *oldest(bool started)
{
    struct run *run;
    TAILQ_FOREACH(run, &runs, link)
    if (run->started == started)
        return run;
    return NULL;
}

// ---- probes ----

static struct runner_probe *ask(struct runner *runner, const struct runner_question *question,
                                runner_on_answer done, void *data)
{
    (void)runner;
    (void)question;
    struct runner_probe *probe = memory_new(sizeof *probe);
    probe->done = done;
    probe->data = data;
    TAILQ_INSERT_TAIL(&probes, probe, link);
    return probe;
}

static void cancel(struct runner_probe *probe)
{
    TAILQ_REMOVE(&probes, probe, link);
    free(probe);
}

static void answer_oldest(int value)
{
    struct runner_probe *probe = TAILQ_FIRST(&probes);
    if (probe == NULL)
        return;
    const struct runner_probe asked = *probe;
    cancel(probe);
    asked.done(asked.data, value, value == NO_ANSWER ? "no answer" : NULL);
}

// ---- volumes ----

static bool make_volume(struct runner *runner, const char *path, struct error *err)
{
    (void)runner;
    check_path(path);
    return strstr(path, "/unmakeable") == NULL || error_set(err, ERROR_IO, "it cannot be made");
}

static void remove_volume(struct runner *runner, const char *path, bool keep)
{
    (void)keep;
    (void)runner;
    (void)path;
}

static bool add_link(struct runner *runner, const char *directory, const struct runner_link *link,
                     const char *user, struct error *err)
{
    (void)runner;
    (void)directory;
    (void)user;
    return strcmp(link->name, "unmakeable") != 0 || error_set(err, ERROR_IO, "it cannot be made");
}

static void remove_link(struct runner *runner, const char *directory, const char *name)
{
    (void)runner;
    (void)directory;
    (void)name;
}

static void forget_all(struct runner *runner)
{
    (void)runner;
    while (!TAILQ_EMPTY(&runs))
        forget_run(TAILQ_FIRST(&runs));
    while (!TAILQ_EMPTY(&probes))
        cancel(TAILQ_FIRST(&probes));
}

// ---- what the target does ----

struct runner *pretend_runner(void)
{
    static const struct runner_ops ops = {.start = start,
                                          .kill = kill_run,
                                          .limit = limit,
                                          .forget = forget_run,
                                          .ask = ask,
                                          .cancel = cancel,
                                          .make_volume = make_volume,
                                          .remove_volume = remove_volume,
                                          .link = add_link,
                                          .unlink = remove_link,
                                          .destroy = forget_all};
    static struct runner runner = {.ops = &ops};
    return &runner;
}

static void begin(struct run *run)
{
    run->started = true;
    run->events->started(run->data, PID);
}

void pretend_runner_begin(void)
{
    struct run *run = oldest(false);
    if (run != NULL)
        begin(run);
}

void pretend_runner_fail(void)
{
    struct run *run = oldest(false);
    if (run == NULL)
        return;
    TAILQ_REMOVE(&runs, run, link);
    run->events->failed(run->data, "it cannot be started");
    free(run);
}

void pretend_runner_end(int64_t status)
{
    struct run *run = TAILQ_FIRST(&runs);
    if (run != NULL)
        answer_oldest((int)status);
    if (run != NULL && run == TAILQ_FIRST(&runs) && !run->started)
        begin(run);
    if (run == NULL || run != TAILQ_FIRST(&runs))
        return; // what was told of it made the agent forget it
    const struct runner_end end = {.status = run->signal ? 0 : status,
                                   .signal = run->signal,
                                   .memory = status == EXCEEDED ? 1u << 30 : 0};
    TAILQ_REMOVE(&runs, run, link);
    run->events->exited(run->data, &end);
    free(run);
}
