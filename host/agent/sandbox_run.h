// SPDX-License-Identifier: Apache-2.0
//
// A command in a sandbox: its uris are fetched there, then it runs. Tasks and executors consist of
// one each. It does no I/O itself; the runner does.

#ifndef MESOS_LUA_AGENT_SANDBOX_RUN_H
#define MESOS_LUA_AGENT_SANDBOX_RUN_H

#include "agent/runner.h"
#include "agent/task_command.h"

#include "mesos/v1/mesos.pb-c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Called from the loop, or inside sandbox_run_start(). Exactly one of `failed`, `killed` and
// `exited` is called, as the last; the owner may free the run then.
struct sandbox_run_events {
    struct task_words (*environment)(void *data);   // of the command; freed by the run
    void (*started)(void *data, int64_t pid);       // the command runs; not if it is to be killed
    void (*failed)(void *data, const char *reason); // it was not started
    void (*killed)(void *data);                     // it was killed before it was started
    void (*exited)(void *data, const struct runner_end *how);
};

enum sandbox_run_phase {
    SANDBOX_IDLE,
    SANDBOX_FETCHING, // a run copies uris
    SANDBOX_STARTING, // the command was given to the runner
    SANDBOX_RUNNING,  // the command runs
    SANDBOX_ENDED,
};

// All runs of an agent.
struct sandbox_runs {
    struct runner *runner;
    size_t count;             // of those that have a process
    void (*idle)(void *data); // the last of them has ended; called last, it may free all
    void *data;
};

// A member of its owner. What the pointers lead to outlives the run.
struct sandbox_run {
    struct sandbox_runs *all;
    const Mesos__V1__CommandInfo *command;
    const char *task_id; // of the task whose command it is, or NULL
    const char *directory;
    const struct runner_alias *aliases; // as of struct runner_command, or NULL
    const struct runner_link *links;    // made in the directory, before anything runs there
    size_t link_count;
    const char *user;                     // that it runs as, or NULL
    uint64_t memory_limit;                // bytes; 0: none
    const Mesos__V1__TaskInfo *contained; // the task of the command if it has an image to run in
    const struct sandbox_run_events *events;
    void *data;

    enum sandbox_run_phase phase;
    bool doomed; // it is to be killed
    size_t fetched;
    bool downloaded; // the uri that is next; it gets its place now
    struct run *run; // NULL: there is none
};

// The members up to `data` are set, the others 0.
void sandbox_run_start(struct sandbox_run *run);

// Kills what runs. A command that has not started is not started any more.
void sandbox_run_kill(struct sandbox_run *run, int signal);

void sandbox_run_limit(struct sandbox_run *run, uint64_t memory); // of the command

// Starts another command in the same sandbox as the same user, with the environment of the first
// and its own; its uris are not fetched. NULL and an error if it cannot run.
struct run *sandbox_run_beside(struct sandbox_run *run, const Mesos__V1__CommandInfo *command,
                               const struct runner_events *events, void *data, struct error *err);

#endif
