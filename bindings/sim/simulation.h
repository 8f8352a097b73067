// SPDX-License-Identifier: Apache-2.0
//
// One simulated run: a policy's script in a Lua state of its own, as the host makes one, on the
// real driver and the embedded master, in virtual time, with tasks that only last; fed with the
// rows of a workload, and observed by books (sim/books.h).
//
// Its time begins at 0 of loop_now(). All that is random follows from the seed: math.random, the
// ids that master, agents and driver make, the driver's backoff, faults. Real time is only measured
// (call_times.h), unless think time is asked for.
//
// While it exists, the log goes to it and UUIDs are its own; one run may exist at a time on a
// thread. Everything happens inside of simulation_create() and simulation_run().

#ifndef MESOS_LUA_BINDINGS_SIM_SIMULATION_H
#define MESOS_LUA_BINDINGS_SIM_SIMULATION_H

#include "base/buffer.h"
#include "base/error.h"
#include "bindings/sim/call_times.h"
#include "bindings/sim/log_ring.h"
#include "sim/books.h"

struct simulation;

// A job of the workload. Its texts and the job, the row as serialize.h has it, are memory of their
// own, and go to the simulation.
struct simulation_row {
    struct books_row row;
    struct bytes *job; // NULL: there is no row
};

void simulation_row_free(struct simulation_row *row); // empties it

// How a task ends by itself.
struct simulation_fate {
    double seconds; // HUGE_VAL: never
    int status;     // of the exit
};

// What is outside of the run. Each is given `data`; where there is an `err`, false means that it
// raised, which ends the run.
struct simulation_events {
    // The next row of the workload; none is left if `row` stays empty.
    bool (*next)(void *data, struct simulation_row *row, struct error *err);
    // How a task ends: set to the duration of its row (endless without one) and 0. NULL: so.
    bool (*last)(void *data, const struct books_task_facts *task, const char *job_id,
                 struct simulation_fate *fate, struct error *err);
    // A task of that job has finished. NULL: of no interest.
    void (*finished)(void *data, const char *job_id);
    // The policy calls what is outside of it: see policy_world.h. Does not end the run.
    bool (*stub)(void *data, const char *name, struct buffer *values, struct error *err);
    // Called about five times a second of real time; true ends the run. NULL: of no interest.
    bool (*progress)(void *data);
    void *data;
};

struct simulation_settings {
    const char *script;
    int argc;
    const char *const *argv;
    uint64_t seed;
    double time;         // seconds since the Unix epoch, at the start
    struct slice plan;   // the cluster, in JSON: cluster/cluster_plan.h
    struct slice faults; // in JSON: cluster/fault_plan.h; data NULL: none
    double duration;     // virtual seconds; 0: until all jobs have ended, or nothing happens
    double think;        // virtual time that a callback takes, for each unit of its real time
    bool wire;           // scheduler_direct_use_wire()
    double limit;        // real seconds; 0: none
    double callback_limit, load_limit;
    size_t memory_limit;                    // of the script; 0: none
    bool workload;                          // there is one: the policy must have a callback submit
    bool show_log;                          // also where it went before
    const struct simulation_events *events; // outlive the run
};

// Makes the cluster, and loads the script. NULL, and `err`, as the host would refuse the script, or
// if the plan, or the faults, are wrong.
struct simulation *simulation_create(const struct simulation_settings *settings, struct error *err);
void simulation_destroy(struct simulation *simulation); // NULL is fine

enum simulation_end {
    SIMULATION_RUNS,
    SIMULATION_JOBS_ENDED,
    SIMULATION_DURATION,
    SIMULATION_IDLE,    // nothing happens any more
    SIMULATION_STOPPED, // the policy has stopped its driver
    SIMULATION_FAILED,  // the policy has failed
    SIMULATION_INTERRUPTED,
    SIMULATION_LIMIT, // of real time
    SIMULATION_BROKEN // what is outside of it has raised: simulation_run() says what
};

// Runs it to its end, once. False, and `err`, if what is outside of it has raised.
bool simulation_run(struct simulation *simulation, struct error *err);

enum simulation_end simulation_how(const struct simulation *simulation);
const char *simulation_problem(const struct simulation *simulation); // or NULL
double simulation_seconds(const struct simulation *simulation);      // of virtual time so far
double simulation_duration(const struct simulation *simulation);     // that it may last; or 0
struct books *simulation_books(const struct simulation *simulation); // ended after the run
const struct call_times *simulation_calls(const struct simulation *simulation);
const struct log_ring *simulation_log(const struct simulation *simulation);
const struct log_ring *simulation_faults(const struct simulation *simulation); // what happened

#endif
