// SPDX-License-Identifier: Apache-2.0
//
// Jobs that are submitted from outside: by `mesos-lua ctl TARGET submit`, by a simulated workload,
// by a test. Each becomes a call of the scheduler's callback submit(driver, job), in its turn among
// the events of the master, and gets one answer. A job is plain data, which travels as bytes
// (script/serialize.h): it may wait while the script is replaced, and if the version that was given
// it is rolled back, the one before is given it again; only the last call answers.

#ifndef MESOS_LUA_BINDINGS_SCHEDULER_SUBMISSIONS_H
#define MESOS_LUA_BINDINGS_SCHEDULER_SUBMISSIONS_H

#include "bindings/scheduler/scheduler.h"

enum {
    SUBMISSIONS_MOST = 4096,     // that wait for their answers, of a scheduler
    SUBMISSION_BYTES = 16 << 20, // of a job
};

enum submission_form {
    SUBMISSION_JSON, // an object
    SUBMISSION_LUA,  // an expression that makes a table of plain data; it sees no name
};

struct submission_end {
    bool ok;
    struct slice text; // what the callback returned, as JSON; or why there is no answer
};

// The answer may come inside of scheduler_submit(), and comes exactly once: also if the scheduler
// ends before.
typedef void (*submission_done)(void *data, const struct submission_end *end);

// The bytes of a job from its text, with one reference; NULL, and the error, if it is none.
struct bytes *submissions_read(struct script *script, enum submission_form form, struct slice text,
                               struct error *err);

// Takes the reference on the job. False, and `done` is not called, if the driver does not run, or
// too many jobs wait.
bool scheduler_submit(struct scheduler *scheduler, struct bytes *job, submission_done done,
                      void *data, struct error *err);

#endif
