// SPDX-License-Identifier: Apache-2.0
//
// A policy under test: its script in a Lua state of its own, as the host makes one, on the real
// driver, on a virtual clock. Its master is either scripted, so the test sees the calls and sends
// the events, or the embedded one with agents whose tasks only last. There is no process and no
// socket: what a policy would reach with mesos.exec and its like is up to stubs.
//
// Time stands still until testbed_advance(). A failure of the policy, in a callback, a timer or a
// spawned function, is kept for testbed_failure(): a test that does not look at it is no test.
//
// Everything happens on one thread. A test bed may be used inside of another script's call; its own
// functions may not be called inside of the policy.

#ifndef MESOS_LUA_BINDINGS_TESTING_TESTBED_H
#define MESOS_LUA_BINDINGS_TESTING_TESTBED_H

#include "base/buffer.h"
#include "base/error.h"
#include "mesos/driver_status.h"

struct testbed;

// What the test's own side does. All are given `data`.
struct testbed_events {
    // The policy calls mesos.`name` with these arguments, the bytes of a list (serialize.h):
    // replaces them by those of what the stub returned. False, and `err`, if it raised or there is
    // none.
    bool (*stub)(void *data, const char *name, struct buffer *values, struct error *err);
    // How long a task of the cluster lasts, in seconds, and the status that it exits with; both are
    // set to their defaults, endless (HUGE_VAL) and 0. False, and `err`, if that cannot be told.
    bool (*last)(void *data, const char *task_id, const char *command, double *seconds, int *status,
                 struct error *err);
    void *data;
};

struct testbed_settings {
    double time;        // seconds since the Unix epoch, at the start
    uint64_t seed;      // of math.random, and of the order of pairs()
    struct slice state; // of mesos.state, as serialize.h has it; empty: an empty table
    const struct testbed_events *events; // outlive the test bed
};

struct testbed *testbed_create(const struct testbed_settings *settings);
void testbed_destroy(struct testbed *bed);

// Runs the script with its arguments, which are copied, and starts the driver of the scheduler that
// it returns. Once. False, and `err`, as the host would refuse the script, or if it builds its
// drivers itself.
bool testbed_load(struct testbed *bed, const char *path, int argc, const char *const *argv,
                  struct error *err);

// Another version takes over, of the file `path`, or of the same one if that is NULL, as in the
// host but without probation; or nothing has changed, and `err` says why.
bool testbed_reload(struct testbed *bed, const char *path, struct error *err);

// ---- time ----

double testbed_now(const struct testbed *bed); // seconds since the Unix epoch

// Lets so many seconds pass: timers fire in order, each at its own time. Ends early, with a
// failure, if work at one moment does not come to an end.
void testbed_advance(struct testbed *bed, double seconds);

// What has gone wrong since the last time: the first failure, its text in memory of its own; NULL:
// nothing.
char *testbed_failure(struct testbed *bed);
void testbed_fail(struct testbed *bed, const char *text); // adds one

// ---- the master ----

// True if the driver has asked for a subscription, which is not answered yet; time passes until it
// does, or until so many seconds are over.
bool testbed_await_subscribe(struct testbed *bed, double seconds);

// Answers it. `subscribed` is the event that comes first; with a cluster the master makes its own.
void testbed_accept(struct testbed *bed, struct slice subscribed);
bool testbed_connected(const struct testbed *bed); // there is a stream

void testbed_event(struct testbed *bed, struct slice event); // without a stream it is lost
void testbed_disconnect(struct testbed *bed);

// The next of the calls that the driver made, as it came; NULL: no more. To be released.
struct bytes *testbed_call(struct testbed *bed);

// ---- the embedded cluster ----

// Puts a master with these agents in place of the scripted one, as a --cluster file in JSON has
// them, but without what this machine has. Before the first subscription is answered.
bool testbed_cluster(struct testbed *bed, struct slice plan, struct error *err);

bool testbed_end_task(struct testbed *bed, const char *task_id,
                      int status); // false: it does not run
bool testbed_lose_agent(struct testbed *bed, const char *agent_id, struct error *err);

// ---- the policy ----

enum driver_status testbed_status(const struct testbed *bed);

// Hands a job to the callback submit, as bytes of serialize.h. `ended` and `answer` (JSON, or why
// it was refused or failed) are set if it has ended; one that waits goes on.
bool testbed_submit(struct testbed *bed, struct slice job, bool *ended, bool *good,
                    struct buffer *answer, struct error *err);

bool testbed_state(struct testbed *bed, struct buffer *out, struct error *err); // mesos.state

#endif
