// SPDX-License-Identifier: Apache-2.0
//
// Scripts that no author would write, from any bytes: each byte decides what comes next. They use
// all that the host gives to scripts, wrongly most of the time. What they do not use can harm the
// machine, or crash any Lua: processes, files, what reads the standard input, and most of the debug
// library. Nor do they have what no limit stops: endless finalizers, and endless single calls of
// functions in C.

#ifndef MESOS_LUA_SPEC_SUPPORT_SCRIPTS_H
#define MESOS_LUA_SPEC_SUPPORT_SCRIPTS_H

#include "base/buffer.h"
#include "base/bytes.h"

struct tape {
    const uint8_t *at, *end;
    unsigned loops; // endless ones that may still come
};

// The next decision, from 0 to `below` - 1; 0 when the tape is at its end.
unsigned tape_draw(struct tape *tape, unsigned below);

// Appends a whole script. `sandbox`: without what the sandbox does not have.
void scripts_write(struct tape *tape, bool sandbox, struct buffer *out);

// Appends some statements, such as an operator might give.
void scripts_write_code(struct tape *tape, bool sandbox, struct buffer *out);

#endif
