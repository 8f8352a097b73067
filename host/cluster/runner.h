// SPDX-License-Identifier: Apache-2.0
//
// The third seam: what a launched task does. An agent asks a runner to start a command in a
// sandbox; the runner says when it runs and how it ended. Implemented with real processes
// (runner_process.h) and, for the simulator, with durations.
//
// The contract: after start() returned a run, exactly one `exited` comes, never inside start() or
// kill(). A run is the runner's; it is gone after `exited`. destroy() kills what still runs, at
// once, and tells nobody.

#ifndef MESOS_LUA_CLUSTER_RUNNER_H
#define MESOS_LUA_CLUSTER_RUNNER_H

#include "base/error.h"

#include <stdint.h>

struct runner;
struct run;

struct runner_command {
    const char *file;        // the program: a path, or a name to look for in the PATH of
                             // `environment`
    const char *const *argv; // as it sees its arguments, its name first; NULL at the end
    const char *const
        *environment;      // "NAME=value", NULL at the end: all of it, nothing is inherited
    const char *directory; // the sandbox: working directory, gets the files `stdout` and `stderr`
    const char *user;      // run as this OS user, or NULL
};

struct runner_events {
    // How it ended: as waitpid tells, an exit status or, if `signal` is not 0, a signal.
    void (*exited)(void *data, int64_t status, int signal);
};

struct runner_ops {
    struct run *(*start)(struct runner *runner, const struct runner_command *command,
                         const struct runner_events *events, void *data, struct error *err);
    void (*kill)(struct run *run, int signal); // to the command and all that it started
    int64_t (*pid)(const struct run *run);     // 0: it has none
    void (*destroy)(struct runner *runner);
};

struct runner {
    const struct runner_ops *ops;
};

#endif
