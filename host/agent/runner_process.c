// SPDX-License-Identifier: Apache-2.0
//
// Processes of the spawner; see the header. The sandbox is opened when the spawner starts the run.

#include "agent/runner_process.h"

#include "agent/folders.h"
#include "agent/memory_watch.h"
#include "agent/network_probes.h"
#include "agent/runner_files.h"
#include "agent/volume_folders.h"
#include "base/memory.h"
#include "loop/spawner.h"
#include "net/download.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

enum {
    GROUPS = 256,                  // supplementary ones of a user
    LONGEST_ARGUMENT = 128 * 1024, // bytes of one argument or variable, by Linux
};

// The user that a command runs as.
struct user {
    bool switched;
    uid_t uid;
    gid_t gid;
    gid_t groups[GROUPS];
    int group_count;
};

struct run {
    struct runner_process *owner;
    struct spawn *spawn;       // NULL: it is a download
    struct download *download; // NULL: it is a program, or over
    struct deferral ended;     // of a download that was killed
    char *address;             // of a download
    const struct runner_events *events;
    void *data;
    char *file;
    struct runner_files sandbox;
    struct error reason;           // the sandbox could not be opened
    uint64_t memory_limit, memory; // the latter if it was exceeded
    struct memory_watched watched;
    TAILQ_ENTRY(run) link;
};

struct runner_process {
    struct runner base; // the first member, see self()
    struct loop *loop;
    struct memory_watch *memory;
    struct network_probes *probes;
    struct curl_loop *curl_loop;
    char *ca_file; // that downloads trust, or NULL // of downloads; NULL: there were none
    struct volume_folders *volumes;
    TAILQ_HEAD(runs, run) runs;
};

static struct runner_process *self(struct runner *runner)
{
    return (struct runner_process *)runner;
}

// ---- the user ----

static bool choose_user(const char *name, struct user *user, struct error *err)
{
    if (name == NULL)
        return true;
    struct passwd row, *found = NULL;
    char names[4096];
    int fault = getpwnam_r(name, &row, names, sizeof names, &found);
    if (found == NULL)
        return error_set(err, ERROR_INVALID, "There is no user '%s' on this machine%s%s", name,
                         fault ? ": " : "", fault ? strerror(fault) : "");
    if (row.pw_uid == geteuid())
        return true;
    if (geteuid() != 0)
        return error_set(err, ERROR_REFUSED,
                         "Cannot run as user '%s': only a cluster that runs as root can switch "
                         "users",
                         name);
    user->switched = true;
    user->uid = row.pw_uid;
    user->gid = row.pw_gid;
    user->group_count = GROUPS;
    if (getgrouplist(name, row.pw_gid, user->groups, &user->group_count) < 0)
        return error_set(err, ERROR_LIMIT, "User '%s' is in more than %d groups", name, GROUPS);
    return true;
}

// ---- the life of a run ----

// Takes the run out of the list. It is freed after its last event.
static void leave(struct run *run)
{
    memory_watch_remove(run->owner->memory, &run->watched);
    TAILQ_REMOVE(&run->owner->runs, run, link);
}

static void free_run(struct run *run)
{
    runner_files_free(&run->sandbox);
    download_destroy(run->download);
    deferral_cancel(&run->ended);
    free(run->file);
    free(run->address);
    free(run);
}

static bool on_open(void *data, int *files)
{
    struct run *run = data;
    return runner_files_open(&run->sandbox, &files[1], &files[2], &run->reason);
}

static void on_exceeded(struct memory_watched *watched, uint64_t used)
{
    struct run *run = (struct run *)((char *)watched - offsetof(struct run, watched));
    run->memory = used;
    memory_watch_remove(run->owner->memory, watched);
    spawner_kill(run->spawn, SIGKILL);
}

static void on_started(void *data, pid_t pid)
{
    struct run *run = data;
    if (run->memory_limit > 0)
        memory_watch_add(run->owner->memory, &run->watched, pid, run->memory_limit);
    run->events->started(run->data, pid);
}

static void on_ended(void *data, const struct spawn_end *how)
{
    struct run *run = data;
    const struct runner_end end = {
        .status = how->status,
        .signal = how->signal,
        .reason = how->lost ? "the process that had started it ended unexpectedly" : NULL,
        .memory = how->signal == SIGKILL ? run->memory : 0};
    leave(run);
    run->events->exited(run->data, &end);
    free_run(run);
}

static char *explain(const struct run *run, const struct spawn_failure *failure)
{
    const char *fault = strerror(failure->fault);
    if (failure->step == SPAWN_DIRECTORY)
        return memory_format("Failed to enter the sandbox '%s': %s", run->sandbox.directory, fault);
    if (failure->fault != E2BIG)
        return memory_format("Failed to execute '%s': %s", run->file, fault);
    return memory_format("Failed to execute '%s': %s (an argument, such as the command of a shell, "
                         "or a variable has at most %d bytes, all together %ld)",
                         run->file, fault, LONGEST_ARGUMENT - 1, sysconf(_SC_ARG_MAX));
}

static void leave_in_sandbox(const struct run *run, const char *text)
{
    struct error err;
    int file = runner_files_output(&run->sandbox, "stderr", &err);
    if (file < 0)
        return;
    dprintf(file, "%s\n", text);
    close(file);
}

// A fault of the command: it is reported as started, and exited with status 1.
static void end_at_once(struct run *run, const struct spawn_failure *failure)
{
    char *reason = explain(run, failure);
    const struct runner_end end = {.status = 1, .reason = reason};
    leave_in_sandbox(run, reason);
    run->events->started(run->data, 0);
    run->events->exited(run->data, &end);
    free(reason);
}

// A fault of the machine.
static void fail(const struct run *run, const struct spawn_failure *failure)
{
    const char *fault = failure->step == SPAWN_LOST
                            ? "the process that starts programs ended unexpectedly"
                            : strerror(failure->fault);
    char *reason = failure->step == SPAWN_OPEN ? memory_string(run->reason.text)
                   : failure->step == SPAWN_USER
                       ? memory_format("Failed to switch to the task's user: %s", fault)
                       : memory_format("Failed to start a process: %s", fault);
    run->events->failed(run->data, reason);
    free(reason);
}

static void on_failed(void *data, const struct spawn_failure *failure)
{
    struct run *run = data;
    bool memory = failure->fault == ENOMEM || failure->fault == EAGAIN;
    leave(run);
    if (!memory && (failure->step == SPAWN_DIRECTORY || failure->step == SPAWN_EXECUTE))
        end_at_once(run, failure);
    else
        fail(run, failure);
    free_run(run);
}

// ---- downloads ----

static void end_download(struct run *run, const struct runner_end *end)
{
    leave(run);
    if (end->status != 0 || end->signal != 0)
        runner_files_remove(&run->sandbox, run->file);
    run->events->exited(run->data, end);
    free_run(run);
}

static void on_downloaded(void *data, const char *fault)
{
    struct run *run = data;
    const struct runner_end end = {.status = fault != NULL};
    char *text = fault ? memory_format("Failed to fetch '%s': %s", run->address, fault) : NULL;
    if (text != NULL)
        leave_in_sandbox(run, text);
    free(text);
    end_download(run, &end);
}

static void on_killed(void *data)
{
    const struct runner_end end = {.signal = SIGKILL};
    end_download(data, &end);
}

static bool make_sandbox(struct run *run, struct error *err)
{
    int out = -1, errors = -1;
    bool good = runner_files_open(&run->sandbox, &out, &errors, err);
    if (out >= 0)
        close(out);
    if (errors >= 0)
        close(errors);
    return good;
}

static void start_download(struct run *run, const char *url, struct error *err)
{
    struct runner_process *runner = run->owner;
    int file = make_sandbox(run, err) ? runner_files_new(&run->sandbox, run->file, err) : -1;
    if (file < 0)
        return;
    if (runner->curl_loop == NULL)
        runner->curl_loop = curl_loop_create(runner->loop, NULL);
    run->address = memory_string(url);
    run->download = download_start(runner->curl_loop, runner->loop, url, runner->ca_file, file,
                                   on_downloaded, run, err);
}

// ---- starting ----

static struct run *start(struct runner *runner, const struct runner_command *command,
                         const struct runner_events *events, void *data, struct error *err)
{
    static const struct spawn_events spawn_events = {
        .open = on_open, .started = on_started, .failed = on_failed, .ended = on_ended};
    struct user user = {.switched = false};
    if (!choose_user(command->user, &user, err))
        return NULL;
    const struct spawn_identity identity = {.uid = user.uid,
                                            .gid = user.gid,
                                            .groups = user.groups,
                                            .group_count = (size_t)user.group_count};
    const struct spawn_command spawn = {.file = command->file,
                                        .argv = command->argv,
                                        .environment = command->environment,
                                        .directory = command->directory,
                                        .identity = user.switched ? &identity : NULL};
    struct run *run = memory_new(sizeof *run);
    *run = (struct run){.owner = self(runner), .events = events, .data = data};
    const struct volume_owner owner = {user.switched, user.uid, user.gid};
    run->file = memory_string(command->file);
    run->memory_limit = command->memory_limit;
    deferral_init(&run->ended, run->owner->loop, on_killed, run);
    runner_files_copy(&run->sandbox, command, &owner);
    if (command->download != NULL)
        start_download(run, command->download, err);
    else
        run->spawn = spawner_start(run->owner->loop, &spawn, &spawn_events, run, err);
    if (run->spawn == NULL && run->download == NULL) {
        free_run(run);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&self(runner)->runs, run, link);
    return run;
}

static void kill_run(struct run *run, int number)
{
    if (run->spawn != NULL) {
        spawner_kill(run->spawn, number);
        return;
    }
    download_destroy(run->download);
    run->download = NULL;
    deferral_queue(&run->ended);
}

static void limit(struct run *run, uint64_t memory)
{
    run->memory_limit = run->watched.limit = memory;
}

static struct runner_probe *ask(struct runner *runner, const struct runner_question *question,
                                runner_on_answer done, void *data)
{
    return network_probes_ask(self(runner)->probes, question, done, data);
}

static bool make_volume(struct runner *runner, const char *path, struct error *err)
{
    (void)runner;
    return volume_folders_make(path, err);
}

static void remove_volume(struct runner *runner, const char *path, bool keep)
{
    if (keep)
        volume_folders_clear(self(runner)->volumes, path);
    else
        volume_folders_remove(self(runner)->volumes, path);
}

static bool add_link(struct runner *runner, const char *directory, const struct runner_link *link,
                     const char *name, struct error *err)
{
    struct user user = {.switched = false};
    (void)runner;
    if (!choose_user(name, &user, err))
        return false;
    const struct volume_owner owner = {user.switched, user.uid, user.gid};
    return volume_folders_link(directory, link, &owner, err);
}

static void remove_link(struct runner *runner, const char *directory, const char *name)
{
    (void)runner;
    volume_folders_unlink(directory, name);
}

static void forget(struct run *run)
{
    leave(run);
    if (run->spawn != NULL)
        spawner_forget(run->spawn);
    free_run(run);
}

// ---- the end of the runner ----

static void destroy(struct runner *runner)
{
    while (!TAILQ_EMPTY(&self(runner)->runs))
        forget(TAILQ_FIRST(&self(runner)->runs));
    memory_watch_destroy(self(runner)->memory);
    network_probes_destroy(self(runner)->probes);
    curl_loop_destroy(self(runner)->curl_loop);
    volume_folders_destroy(self(runner)->volumes);
    free(self(runner)->ca_file);
    free(runner);
}

struct runner *runner_process_create(struct loop *loop, const char *ca_file)
{
    static const struct runner_ops ops = {.start = start,
                                          .kill = kill_run,
                                          .limit = limit,
                                          .forget = forget,
                                          .ask = ask,
                                          .cancel = network_probes_cancel,
                                          .make_volume = make_volume,
                                          .remove_volume = remove_volume,
                                          .link = add_link,
                                          .unlink = remove_link,
                                          .destroy = destroy};
    struct runner_process *runner = memory_new(sizeof *runner);
    runner->base.ops = &ops;
    runner->loop = loop;
    runner->ca_file = memory_string(ca_file);
    runner->memory = memory_watch_create(loop, on_exceeded);
    runner->probes = network_probes_create(loop);
    runner->volumes = volume_folders_create(loop);
    TAILQ_INIT(&runner->runs);
    return &runner->base;
}
