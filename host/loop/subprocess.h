// SPDX-License-Identifier: Apache-2.0
//
// A child process: started, given its input, read, waited for, signalled, and killed if it takes
// too long or writes too much. Its output is kept, or handed on piece by piece, or goes where that
// of the host goes. It leads a process group of its own, which is killed when it ends, with what it
// left running in the background; all of it is killed when the host ends.

#ifndef MESOS_LUA_LOOP_SUBPROCESS_H
#define MESOS_LUA_LOOP_SUBPROCESS_H

#include "base/bytes.h"
#include "base/error.h"
#include "loop/loop.h"

struct subprocess;

enum subprocess_output {
    SUBPROCESS_KEPT,   // until the end, up to the limit
    SUBPROCESS_PIECES, // handed to on_output()
    SUBPROCESS_SHARED, // the host's own
};

struct subprocess_command {
    const char *const *argv;        // ended by NULL; the first is looked up in PATH
    const char *const *environment; // "NAME=value", ended by NULL; NULL: that of the host
    const char *directory;          // NULL: that of the host
    struct slice input;             // its standard input; without data: empty
    size_t limit;                   // bytes of standard output, and as many of standard error
    uint64_t timeout;               // nanoseconds; 0: none
    enum subprocess_output out, err;
    // For SUBPROCESS_PIECES; at the end come what is left, up to the limit. May be NULL otherwise.
    void (*on_output)(void *data, bool err, struct slice piece);
};

enum subprocess_outcome {
    SUBPROCESS_ENDED,
    SUBPROCESS_TIMED_OUT,
    SUBPROCESS_TOO_LOUD,
    SUBPROCESS_FAILED
};

struct subprocess_end {
    // It was killed if this is SUBPROCESS_TIMED_OUT or SUBPROCESS_TOO_LOUD.
    enum subprocess_outcome outcome;
    int64_t status;          // of the exit; -1 if a signal ended it
    int signal;              // that ended it; 0: none
    struct slice out, err;   // what it wrote, up to the limit; valid until subprocess_destroy()
    const char *text, *code; // SUBPROCESS_FAILED: it was not started, or lost (loop/spawner.h), and
                             // the name of the fault ("ENOENT"); valid until subprocess_destroy()
};

// Starts it, on a loop of loop_uv.h. `on_end` is called once, from the loop, also if it turns out
// that it cannot be started. NULL, and `err` and the name of the fault in `code`, if too many are
// pending.
struct subprocess *subprocess_start(struct loop *loop, const struct subprocess_command *command,
                                    void (*on_end)(void *data, const struct subprocess_end *end),
                                    void *data, const char **code, struct error *err);

// Sends a signal to the child and its group; one that has not started is not started, or gets it
// then. Nothing after its end.
void subprocess_signal(struct subprocess *child, int signal);

// Stops reading an output that is handed on, or goes on. At the end it is read all the same.
void subprocess_pause(struct subprocess *child, bool err, bool paused);

int64_t subprocess_pid(const struct subprocess *child); // 0: it has not started

// Kills it if it runs; `on_end` is not called then. NULL is fine.
void subprocess_destroy(struct subprocess *child);

#endif
