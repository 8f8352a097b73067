// SPDX-License-Identifier: Apache-2.0
//
// Lua code that an operator gives to a running script. It runs in the live world, as a routine of
// its own, so that it may wait, and sees
//
// - what earlier code of an operator named, kept until the script is replaced by a new version;
// - the script's own local variables, as far as a callback uses them: they can be read and
//   assigned;
// - the script's globals;
// - `scheduler` and `driver`, `mesos`, `state` (mesos.state), and `help()`.
//
// print() goes to the operator. An expression is shown (show.h), as are several with commas.

#ifndef MESOS_LUA_BINDINGS_EVAL_H
#define MESOS_LUA_BINDINGS_EVAL_H

#include "bindings/scheduler.h"
#include "script/script.h"

enum { EVAL_OUTPUT = 256 << 10 }; // bytes that are kept of what it prints and returns

struct eval_end {
    struct slice output; // printed, and, if it did not fail, the results; UTF-8
    const char *error;   // message and traceback, or NULL
    bool incomplete;     // it failed because more lines are expected
};

// `done` is called exactly once, possibly before this returns; what `end` points to is valid during
// the call. `scheduler` may be NULL.
void eval(struct script *script, struct scheduler *scheduler, struct slice code,
          void (*done)(void *data, const struct eval_end *end), void *data);

#endif
