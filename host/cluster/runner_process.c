// SPDX-License-Identifier: Apache-2.0
//
// Processes with libuv; see the header. A run owns its libuv handle, which libuv lets go of only in
// a close callback: the memory of a run ends there, also when the runner is gone by then.

#include "cluster/runner_process.h"

#include "base/log.h"
#include "base/memory.h"
#include "loop/loop_uv.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct run {
    uv_process_t process;
    struct runner_process *owner;
    const struct runner_events *events;
    void *data;
    pid_t pid;                 // 0: it could not be executed
    struct deferral stillborn; // tells so, later
    TAILQ_ENTRY(run) link;
};

struct runner_process {
    struct runner runner;
    struct loop *loop;
    TAILQ_HEAD(runs, run) runs;
};

// Whom a command runs as, and its output files.
struct setting {
    bool switched;
    uid_t uid;
    gid_t gid;
    int out, err;
};

static struct runner_process *self(struct runner *runner)
{
    return (struct runner_process *)runner;
}

// ---- the end of a run ----

static void signal_group(pid_t pid, int number)
{
    if (pid > 0)
        kill(-pid, number);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void finish(struct run *run, int64_t status, int number)
{
    TAILQ_REMOVE(&run->owner->runs, run, link);
    run->events->exited(run->data, status, number);
}

// The group outlives its leader as long as anybody is in it, so its number cannot be another's yet.
static void on_exit_status(uv_process_t *process, int64_t status, int number)
{
    struct run *run = process->data;
    signal_group(run->pid, SIGKILL);
    finish(run, status, number);
    uv_close((uv_handle_t *)process, on_closed);
}

static void on_stillborn(void *data)
{
    struct run *run = data;
    finish(run, 1, 0);
    free(run);
}

// ---- the sandbox ----

static bool make_folders(const char *path, struct error *err)
{
    char *partial = memory_string(path);
    bool good = true;
    for (char *slash = partial + 1; good && slash != NULL;) {
        slash = strchr(slash, '/');
        if (slash != NULL)
            *slash = '\0';
        good = mkdir(partial, 0755) == 0 || errno == EEXIST;
        if (slash != NULL)
            *slash++ = '/';
    }
    if (!good)
        error_set(err, ERROR_IO, "Failed to create the sandbox '%s': %s", path, strerror(errno));
    free(partial);
    return good;
}

static int open_output(const struct runner_command *command, const char *name,
                       const struct setting *setting, struct error *err)
{
    char *path = memory_format("%s/%s", command->directory, name);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (file < 0)
        error_set(err, ERROR_IO, "Failed to open '%s': %s", path, strerror(errno));
    else if (setting->switched && fchown(file, setting->uid, setting->gid) != 0)
        log_warning("cannot give '%s' to its task's user: %s", path, strerror(errno));
    free(path);
    return file;
}

static bool open_sandbox(const struct runner_command *command, struct setting *setting,
                         struct error *err)
{
    if (!make_folders(command->directory, err))
        return false;
    if (setting->switched && chown(command->directory, setting->uid, setting->gid) != 0)
        return error_set(err, ERROR_IO, "Failed to give the sandbox to user '%s': %s",
                         command->user, strerror(errno));
    setting->out = open_output(command, "stdout", setting, err);
    if (setting->out >= 0)
        setting->err = open_output(command, "stderr", setting, err);
    return setting->out >= 0 && setting->err >= 0;
}

static void close_sandbox(const struct setting *setting)
{
    if (setting->out >= 0)
        close(setting->out);
    if (setting->err >= 0)
        close(setting->err);
}

static bool choose_user(const char *user, struct setting *setting, struct error *err)
{
    if (user == NULL)
        return true;
    struct passwd row, *found = NULL;
    char names[4096];
    int fault = getpwnam_r(user, &row, names, sizeof names, &found);
    if (found == NULL)
        return error_set(err, ERROR_INVALID, "There is no user '%s' on this machine%s%s", user,
                         fault ? ": " : "", fault ? strerror(fault) : "");
    if (row.pw_uid == geteuid())
        return true;
    if (geteuid() != 0)
        return error_set(err, ERROR_REFUSED,
                         "Cannot run as user '%s': only a cluster that runs as root can switch "
                         "users",
                         user);
    setting->switched = true;
    setting->uid = row.pw_uid;
    setting->gid = row.pw_gid;
    return true;
}

// ---- starting ----

static int spawn(struct run *run, const struct runner_command *command,
                 const struct setting *setting)
{
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = setting->out},
        {.flags = UV_INHERIT_FD, .data.fd = setting->err},
    };
    uv_process_options_t options = {
        .exit_cb = on_exit_status,
        .file = command->file,
        .args = (char **)(uintptr_t)command->argv,
        .env = (char **)(uintptr_t)command->environment,
        .cwd = command->directory,
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = 3,
        .stdio = stdio,
    };
    if (setting->switched) {
        options.flags |= UV_PROCESS_SETUID | UV_PROCESS_SETGID;
        options.uid = setting->uid;
        options.gid = setting->gid;
    }
    run->process.data = run;
    return uv_spawn(loop_uv_handle(run->owner->loop), &run->process, &options);
}

// Without memory or processes left the machine failed; with any other fault the command did.
static struct run *stillborn(struct run *run, const struct runner_command *command, int fault,
                             const struct setting *setting, struct error *err)
{
    if (fault == UV_EAGAIN || fault == UV_ENOMEM || fault == UV_EMFILE || fault == UV_ENFILE) {
        error_set(err, ERROR_IO, "Failed to start a process: %s", uv_strerror(fault));
        uv_close((uv_handle_t *)&run->process, on_closed);
        return NULL;
    }
    dprintf(setting->err, "Failed to execute '%s': %s\n", command->file, uv_strerror(fault));
    struct run *told = memory_new(sizeof *told);
    *told = (struct run){.owner = run->owner, .events = run->events, .data = run->data};
    uv_close((uv_handle_t *)&run->process, on_closed);
    deferral_init(&told->stillborn, told->owner->loop, on_stillborn, told);
    deferral_queue(&told->stillborn);
    return told;
}

static struct run *start(struct runner *runner, const struct runner_command *command,
                         const struct runner_events *events, void *data, struct error *err)
{
    struct setting setting = {.out = -1, .err = -1};
    struct run *run = NULL;
    if (!choose_user(command->user, &setting, err) || !open_sandbox(command, &setting, err))
        goto out;
    run = memory_new(sizeof *run);
    *run = (struct run){.owner = self(runner), .events = events, .data = data};
    int fault = spawn(run, command, &setting);
    if (fault != 0)
        run = stillborn(run, command, fault, &setting, err);
    else
        run->pid = run->process.pid;
    if (run != NULL)
        TAILQ_INSERT_TAIL(&self(runner)->runs, run, link);
out:
    close_sandbox(&setting);
    return run;
}

static void kill_run(struct run *run, int number)
{
    signal_group(run->pid, number);
}

static int64_t pid_of(const struct run *run)
{
    return run->pid;
}

// ---- the end of the runner ----

// A killed process is gone within moments; one that the kernel holds is not waited for longer than
// a second.
static void reap(pid_t pid)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    for (int i = 0; i < 1000 && waitpid(pid, NULL, WNOHANG) == 0; i++)
        nanosleep(&moment, NULL);
}

static void destroy(struct runner *runner)
{
    struct run *run;
    TAILQ_FOREACH(run, &self(runner)->runs, link)
    signal_group(run->pid, SIGKILL);
    while ((run = TAILQ_FIRST(&self(runner)->runs)) != NULL) {
        TAILQ_REMOVE(&self(runner)->runs, run, link);
        deferral_cancel(&run->stillborn);
        if (run->pid == 0) {
            free(run);
            continue;
        }
        uv_close((uv_handle_t *)&run->process, on_closed);
        reap(run->pid);
        signal_group(run->pid, SIGKILL);
    }
    free(runner);
}

struct runner *runner_process_create(struct loop *loop)
{
    static const struct runner_ops ops = {
        .start = start, .kill = kill_run, .pid = pid_of, .destroy = destroy};
    struct runner_process *this = memory_new(sizeof *this);
    this->runner.ops = &ops;
    this->loop = loop;
    TAILQ_INIT(&this->runs);
    return &this->runner;
}
