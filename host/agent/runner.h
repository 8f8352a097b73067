// SPDX-License-Identifier: Apache-2.0
//
// The third seam: what a launched task does. An agent asks a runner to start a command in a
// sandbox; the runner reports when it runs and how it ended. Implemented with real processes
// (runner_process.h), and with runs that only last (runner_virtual.h).
//
// The contract: start() returns a run at once, and its events follow later, never inside start() or
// kill(): `started` and later `exited`; or `failed`, if it could not be started for a reason that
// is not the command's; or `exited` alone, for a run that was killed before it started. The runner
// owns a run, and frees it after `failed` or `exited`. destroy() kills what still runs, at once,
// without an event.

#ifndef MESOS_LUA_AGENT_RUNNER_H
#define MESOS_LUA_AGENT_RUNNER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct runner;
struct run;
struct runner_probe;

// A link to a persistent volume in a sandbox.
struct runner_link {
    char *name;   // relative to the sandbox; it stays inside
    char *target; // the volume's folder, which make_volume() made
    bool shared;  // with other tasks
};

// A container that a command runs in (runner_container.h).
struct runner_container {
    const char *name, *image;
    bool pull;   // the image is fetched also if it is there
    bool beside; // in the container of that name, which runs already; image and limits do not count
    bool native; // a signal that ends it is reported as one, and the memory that it may not use
    unsigned cpu_shares;
    uint64_t memory;            // bytes; 0: any
    const char *const *folders; // of the sandbox that are to be there; NULL at the end, or NULL
    // Of the runtime's `run` or `exec`: options, the image or the name, and what is run. NULL at
    // the end.
    const char *const *words;
};

// A symbolic link for people and tools.
struct runner_alias {
    const char *path;
    const char *target; // seen from the folder of the link
};

// What a command is for.
enum runner_purpose {
    RUNNER_TASK,  // the task's own command, or a custom executor
    RUNNER_FETCH, // it brings files into the sandbox, before that
    RUNNER_CHECK, // it checks on a task, beside it
};

struct runner_command {
    enum runner_purpose purpose;
    const char *file;               // the program: a path, or a name to look for in the PATH of
                                    // `environment`
    const char *const *argv;        // as it sees its arguments, its name first; NULL at the end
    const char *task_id;            // of the task that it is for, or NULL
    const char *const *environment; // "NAME=value", NULL at the end: all of it, nothing is
                                    // inherited. Or NULL: the runner is `idle`
    const char *directory; // the sandbox: working directory, gets the files `stdout` and `stderr`
    const struct runner_alias *aliases; // made or replaced with it; the last has no path. Or NULL
    const struct runner_link *links;    // made in the sandbox before the command starts, which must
    size_t link_count;                  // be the first that runs in it
    const char *user;                   // run as this OS user, or NULL
    uint64_t memory_limit;              // bytes that it may use, with all that it starts; 0: any
    const char *download; // an address: not a program, but this is fetched into `file`, a new file
                          // of the sandbox; it exits with 0, or with 1 and a line in `stderr`
    const struct runner_container *container; // NULL: it is a process of this machine. Otherwise
                                              // only folder, aliases and links count besides it
};

struct runner_end {
    int64_t status;     // of the exit
    int signal;         // that ended it; 0: none, and `status` counts
    const char *reason; // what else the runner knows about it, or NULL
    uint64_t memory;    // not 0: it was killed, as it used so many bytes, more than its limit
    bool container;     // it was one, and ends as one that Docker runs
};

struct runner_events {
    void (*started)(void *data, int64_t pid); // 0: it has none
    void (*failed)(void *data, const char *reason);
    void (*exited)(void *data, const struct runner_end *end);
};

// What a check asks a server on this machine: with `url` for the status of a GET, without one for a
// connection to `port`.
struct runner_question {
    const char *url; // "http://127.0.0.1:31000/health", or NULL
    unsigned port;
    bool ipv6;
    uint64_t timeout; // nanoseconds; 0: none
};

// `value` is the HTTP status, or 1 for a connection and 0 for none; `fault`, if not NULL, says why
// there is no answer.
typedef void (*runner_on_answer)(void *data, int value, const char *fault);

struct runner_ops {
    // The command is copied. NULL and an error if it is clear at once that it cannot run.
    struct run *(*start)(struct runner *runner, const struct runner_command *command,
                         const struct runner_events *events, void *data, struct error *err);
    void (*kill)(struct run *run, int signal); // to the command and all that it started
    void (*limit)(struct run *run,
                  uint64_t memory);  // replaces `memory_limit` of a process; neither is 0
    void (*forget)(struct run *run); // kills it; no event of it comes any more, and it is freed

    // `done` is called later, once; not after cancel(), and not after destroy().
    struct runner_probe *(*ask)(struct runner *runner, const struct runner_question *question,
                                runner_on_answer done, void *data);
    void (*cancel)(struct runner_probe *probe);

    // The folder of a persistent volume: makes it if it is not there, and removes it with all that
    // is in it. Its name is free at once; the files may go later. `keep`: the folder itself stays.
    bool (*make_volume)(struct runner *runner, const char *path, struct error *err);
    void (*remove_volume)(struct runner *runner, const char *path, bool keep);

    // A link to a volume in a sandbox where a command runs already, as that user, or NULL; it may
    // be there. And its removal.
    bool (*link)(struct runner *runner, const char *directory, const struct runner_link *link,
                 const char *user, struct error *err);
    void (*unlink)(struct runner *runner, const char *directory, const char *name);
    void (*destroy)(struct runner *runner);
};

struct runner {
    const struct runner_ops *ops;
    bool idle; // it runs nothing, so commands need no environment
};

#endif
