// SPDX-License-Identifier: Apache-2.0
//
// Lua code that an operator gives to a running script. It runs in the live Lua state, as a routine
// of its own, so that it may wait, and sees
//
// - what earlier code of an operator named, kept until the script is replaced by a new version;
// - the script's own local variables, as far as a callback uses them: they can be read and
//   assigned;
// - the script's globals;
// - `scheduler` and `driver`, `mesos`, `state` (mesos.state), and `help()`; and the scheduler as
//   _ENV["(scheduler)"], whatever the script calls so.
//
// print() goes to the operator. An expression is shown (show.h), as are several with commas.

#ifndef MESOS_LUA_BINDINGS_LIB_EVAL_H
#define MESOS_LUA_BINDINGS_LIB_EVAL_H

#include "bindings/scheduler/scheduler.h"
#include "script/script.h"

enum { EVAL_OUTPUT = 256 << 10 }; // bytes that are kept of what it prints and returns

struct eval_end {
    struct slice output; // printed, and, if it did not fail, the results; UTF-8
    const char *error;   // message and traceback, or NULL
    bool incomplete;     // it failed because more lines are expected
};

struct evaluation;

// Starts nothing yet. `scheduler` may be NULL; `code` is to be there until eval_start() returns.
struct evaluation *eval_create(struct script *script, struct scheduler *scheduler,
                               struct slice code,
                               void (*done)(void *data, const struct eval_end *end), void *data);

// `done` is called exactly once, possibly before this returns, and the evaluation is gone then;
// what `end` points to is valid during the call.
void eval_start(struct evaluation *evaluation);

// Its end is not waited for any more: it is stopped if it runs, and ended if it waits. `done` is
// called later.
void eval_abandon(struct evaluation *evaluation);

#endif
