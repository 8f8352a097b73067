// SPDX-License-Identifier: Apache-2.0
//
// Why the jobs that have waited longest did so, in words. Asking may take a millisecond, so it is
// done for at most WAIT_REASONS_A_STEP jobs in each step of the series, and only for those that are
// candidates: jobs that have waited longer than the last of the WAIT_REASONS that are known, and
// the known ones again when they have waited twice as long.

#ifndef MESOS_LUA_SIM_WAIT_REASONS_H
#define MESOS_LUA_SIM_WAIT_REASONS_H

#include "base/buffer.h"
#include "sim/jobs.h"

enum { WAIT_REASONS = 64, WAIT_REASON_LENGTH = 2000, WAIT_REASONS_A_STEP = 5 };

struct wait_reason {
    const struct books_job *job;
    uint64_t waited; // when it was asked for
    char *text;
};

struct wait_reasons {
    struct wait_reason items[WAIT_REASONS];
    size_t count;
    unsigned left; // how many may be asked for in the step that goes on; set by the owner
    // False: there is nothing to say. NULL: none is asked for.
    bool (*explain)(void *data, const struct books_job *job, struct buffer *text);
    void *data;
};

// How long the job has waited so far, or until it started.
uint64_t wait_reasons_waited(const struct books_job *job, uint64_t now);

// Asks for the first of the jobs that wait, and have waited for `least`, up to `left` of them.
void wait_reasons_ask(struct wait_reasons *reasons, const struct jobs *jobs, uint64_t least,
                      uint64_t now);

// Asks for the first `most` of those that wait, in any case.
void wait_reasons_ask_all(struct wait_reasons *reasons, const struct jobs *jobs, size_t most,
                          uint64_t now);

const char *wait_reasons_text(const struct wait_reasons *reasons,
                              const struct books_job *job); // or NULL
void wait_reasons_free(struct wait_reasons *reasons);

#endif
