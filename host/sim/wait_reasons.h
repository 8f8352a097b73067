// SPDX-License-Identifier: Apache-2.0
//
// Why the jobs that have waited longest did so, in words. Asking may take milliseconds, as the
// offers of the last minutes are read for it. So it is done in looks, after each second at first
// and after 1/WAIT_REASONS_SHARE of the run so far later, which makes some 180 looks in an hour;
// for at most WAIT_REASONS_A_LOOK jobs each; and only for candidates: jobs that have waited longer
// than the last of the WAIT_REASONS that are known, and the known ones again when they have waited
// twice as long.

#ifndef MESOS_LUA_SIM_WAIT_REASONS_H
#define MESOS_LUA_SIM_WAIT_REASONS_H

#include "base/buffer.h"
#include "sim/jobs.h"

enum { WAIT_REASONS = 64, WAIT_REASON_LENGTH = 2000, WAIT_REASONS_A_LOOK = 2 };
enum { WAIT_REASONS_SHARE = 32 };

struct wait_reason {
    const struct books_job *job;
    uint64_t waited; // when it was asked for; 0: it was not yet
    char *text;
};

struct wait_reasons {
    struct wait_reason items[WAIT_REASONS];
    size_t count;
    // False: there is nothing to say. NULL: none is asked for.
    bool (*explain)(void *data, const struct books_job *job, struct buffer *text);
    void *data;
};

// How long the job has waited so far, or until it started.
uint64_t wait_reasons_waited(const struct books_job *job, uint64_t now);

// How long to wait for the next look when the run has lasted that long.
uint64_t wait_reasons_pause(uint64_t elapsed);

// A look: asks for the first of the jobs that wait, and have waited for `least`.
void wait_reasons_ask(struct wait_reasons *reasons, const struct jobs *jobs, uint64_t least,
                      uint64_t now);

// Asks for the first `most` of those that wait, in any case.
void wait_reasons_ask_all(struct wait_reasons *reasons, const struct jobs *jobs, size_t most,
                          uint64_t now);

const char *wait_reasons_text(const struct wait_reasons *reasons,
                              const struct books_job *job); // or NULL
void wait_reasons_free(struct wait_reasons *reasons);

#endif
