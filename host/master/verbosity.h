// SPDX-License-Identifier: Apache-2.0
//
// How much the log of a master says, which an operator can change for a while: 0 is
// what is usual, anything above it shows debug messages, too. The log is that of the
// whole program.

#ifndef MESOS_LUA_MASTER_VERBOSITY_H
#define MESOS_LUA_MASTER_VERBOSITY_H

#include "base/log.h"
#include "loop/loop.h"

struct verbosity {
    bool changed;
    unsigned level;        // then: what it is,
    enum log_level former; // and what it was
    struct timer revert;
};

void verbosity_init(struct verbosity *verbosity, struct loop *loop);
void verbosity_stop(struct verbosity *verbosity); // as it was

// The level now; that of a program which was started with debug messages is at least 1.
unsigned verbosity_level(const struct verbosity *verbosity);
unsigned verbosity_original(const struct verbosity *verbosity);

// For so many nanoseconds.
void verbosity_set(struct verbosity *verbosity, unsigned level, uint64_t duration);

#endif
