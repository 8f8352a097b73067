// SPDX-License-Identifier: Apache-2.0
//
// Fetching and running in a sandbox; see the header. The phase is changed by enter() alone.

#include "agent/sandbox_run.h"

#include "agent/command_validation.h"
#include "agent/container_command.h"
#include "base/log.h"
#include "base/memory.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void enter(struct sandbox_run *run, enum sandbox_run_phase phase)
{
    run->phase = phase;
    if (phase == SANDBOX_ENDED)
        run->run = NULL;
}

// ---- starting ----

static void on_started(void *data, int64_t pid);
static void on_failed(void *data, const char *reason);
static void on_exited(void *data, const struct runner_end *how);

static const struct runner_events own_events = {
    .started = on_started, .failed = on_failed, .exited = on_exited};

// What is to be run, in which environment.
struct start {
    enum runner_purpose purpose;
    char **line; // one block
    struct task_words environment;
    const char *file;
    const struct runner_alias *aliases;
    const char *download;
    uint64_t memory_limit;
    bool first;                               // that runs in the sandbox
    const struct runner_container *container; // NULL: it runs in none
};

static struct run *start_run(struct sandbox_run *run, struct start *start,
                             const struct runner_events *events, void *data, struct error *err)
{
    const struct runner_command command = {
        .purpose = start->purpose,
        .file = start->file,
        .argv = (const char *const *)start->line,
        .task_id = run->task_id,
        .environment = (const char *const *)start->environment.items,
        .directory = run->directory,
        .aliases = start->aliases,
        .links = run->links,
        .link_count = start->first || start->container != NULL ? run->link_count : 0,
        .user = run->user,
        .memory_limit = start->memory_limit,
        .download = start->download,
        .container = start->container,
    };
    struct run *started =
        run->all->runner->ops->start(run->all->runner, &command, events, data, err);
    task_command_free(&start->environment);
    free(start->line);
    return started;
}

static bool start_own(struct sandbox_run *run, struct start *start, struct error *err)
{
    if (!run->all->runner->idle)
        start->environment = run->events->environment(run->data);
    start->aliases = run->aliases;
    start->first = run->fetched == 0 && !run->downloaded;
    run->run = start_run(run, start, &own_events, run, err);
    run->all->count += run->run != NULL;
    return run->run != NULL;
}

static bool is_to_download(const struct sandbox_run *run)
{
    return task_command_is_remote(run->command->uris[run->fetched]) && !run->downloaded;
}

// A remote uri takes two steps; whether its name is a good one is known before the first.
static bool fetch(struct sandbox_run *run, struct error *err)
{
    const Mesos__V1__CommandInfo__URI *uri = run->command->uris[run->fetched];
    struct start start = {.purpose = RUNNER_FETCH, .file = "/bin/sh"};
    enter(run, SANDBOX_FETCHING);
    start.line = task_command_fetch(uri, err);
    if (start.line == NULL)
        return false;
    if (is_to_download(run)) {
        start.file = TASK_COMMAND_DOWNLOADED;
        start.download = uri->value;
    }
    return start_own(run, &start, err);
}

static bool start_contained(struct sandbox_run *run, struct error *err)
{
    struct start start = {0};
    struct container_command command;
    if (!container_command_check(run->contained, err))
        return false;
    struct task_words environment = run->events->environment(run->data);
    container_command_run(&command, run->contained, &environment, run->directory);
    task_command_free(&environment);
    start.container = &command.container;
    bool good = start_own(run, &start, err);
    container_command_free(&command);
    return good;
}

static bool start_command(struct sandbox_run *run, struct error *err)
{
    struct start start = {.memory_limit = run->memory_limit};
    enter(run, SANDBOX_STARTING);
    if (run->contained != NULL)
        return start_contained(run, err);
    start.line = task_command_line(run->command, &start.file);
    return start_own(run, &start, err);
}

static void fail(struct sandbox_run *run, const char *reason)
{
    enter(run, SANDBOX_ENDED);
    run->events->failed(run->data, reason);
}

static void end_early(struct sandbox_run *run)
{
    enter(run, SANDBOX_ENDED);
    run->events->killed(run->data);
}

// The next step: a uri to fetch, or the command.
static void proceed(struct sandbox_run *run)
{
    struct error err = {0};
    bool good = run->fetched < run->command->n_uris ? fetch(run, &err) : start_command(run, &err);
    if (!good)
        fail(run, err.text);
}

void sandbox_run_start(struct sandbox_run *run)
{
    struct error err = {0};
    if (command_validation_uris(run->command, &err))
        proceed(run);
    else
        fail(run, err.text);
}

// ---- what the runner reports ----

static void on_started(void *data, int64_t pid)
{
    struct sandbox_run *run = data;
    if (run->phase != SANDBOX_STARTING || run->doomed)
        return;
    enter(run, SANDBOX_RUNNING);
    run->events->started(run->data, pid);
}

// The name of its sandbox.
static const char *container_id(const struct sandbox_run *run)
{
    const char *slash = strrchr(run->directory, '/');
    return slash ? slash + 1 : run->directory;
}

// A real agent says no more either: the sandbox does.
static void on_fetched(struct sandbox_run *run, bool good)
{
    if (good && is_to_download(run)) {
        run->downloaded = true;
        proceed(run);
        return;
    }
    if (good) {
        run->downloaded = false;
        run->fetched++;
        proceed(run);
        return;
    }
    char *reason = memory_format(
        "Failed to fetch all URIs for container '%s': exited with status 1", container_id(run));
    log_warning("a uri could not be fetched: see %s/stderr", run->directory);
    fail(run, reason);
    free(reason);
}

static void check_idle(const struct sandbox_runs *all)
{
    if (all->count == 0)
        all->idle(all->data);
}

static void on_exited(void *data, const struct runner_end *how)
{
    struct sandbox_run *run = data;
    struct sandbox_runs *all = run->all;
    run->run = NULL;
    all->count--;
    if (run->phase == SANDBOX_RUNNING) {
        enter(run, SANDBOX_ENDED);
        run->events->exited(run->data, how);
    } else if (run->doomed || run->phase == SANDBOX_STARTING) {
        end_early(run);
    } else {
        on_fetched(run, how->status == 0 && how->signal == 0);
    }
    check_idle(all);
}

static void on_failed(void *data, const char *reason)
{
    struct sandbox_run *run = data;
    struct sandbox_runs *all = run->all;
    run->run = NULL;
    all->count--;
    if (run->doomed)
        end_early(run);
    else
        fail(run, reason);
    check_idle(all);
}

// ---- the owner's side ----

void sandbox_run_kill(struct sandbox_run *run, int signal)
{
    bool runs = run->phase == SANDBOX_RUNNING;
    run->doomed = true;
    if (run->run != NULL)
        run->all->runner->ops->kill(run->run, runs ? signal : SIGKILL);
}

void sandbox_run_limit(struct sandbox_run *run, uint64_t memory)
{
    run->memory_limit = memory;
    if (run->phase == SANDBOX_STARTING || run->phase == SANDBOX_RUNNING)
        run->all->runner->ops->limit(run->run, memory);
}

static struct run *start_in_container(struct sandbox_run *run, const Mesos__V1__CommandInfo *check,
                                      const struct runner_events *events, void *data,
                                      struct error *err)
{
    struct container_command command;
    container_command_exec(&command, run->contained, check, run->directory);
    struct start start = {.purpose = RUNNER_CHECK, .container = &command.container};
    struct run *started = start_run(run, &start, events, data, err);
    container_command_free(&command);
    return started;
}

struct run *sandbox_run_beside(struct sandbox_run *run, const Mesos__V1__CommandInfo *command,
                               const struct runner_events *events, void *data, struct error *err)
{
    if (run->contained != NULL)
        return start_in_container(run, command, events, data, err);
    struct start start = {.purpose = RUNNER_CHECK,
                          .environment = run->events->environment(run->data)};
    start.line = task_command_line(command, &start.file);
    task_command_add(&start.environment, command->environment);
    return start_run(run, &start, events, data, err);
}
