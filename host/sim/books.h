// SPDX-License-Identifier: Apache-2.0
//
// The books of a simulated run: what is measured, from the events of the master. They observe the
// master from their creation to their end and change nothing of it. The master may be destroyed
// before them.
//
// The order of a run:
//
//     master_create(), then books_create(), then master_add_agent() for all agents
//     books_why()                        once
//     books_submit(), books_refused()    as the workload goes, at the time of each row
//     books_task(), books_counts(), ...  at any time
//     books_end()                        once, when the run is over, before the driver is destroyed
//     result_push()                      of bindings/sim/result.h, as often as wanted
//     books_destroy()
//
// All times are of loop_now(), in nanoseconds, and those of rows in seconds from books_create().
// The books look for jobs that wait once a second, by a timer, so the loop is never without work;
// books_counts() tells whether something happens. The loop outlives the books.
//
// A *job* is a row of the workload. A task that is launched belongs to the job whose id is its
// label `job`, its name, its id, or the longest prefix of its id that ends before a dot. A task
// without a job counts in the use of resources, in `work` and in `tasks`.
//
// Memory: about 165 bytes a job beside its id and name, for as long as the books live, and 104 for
// a task until the master forgets it. Deterministic: sums are of integers, orders are those of
// events.

#ifndef MESOS_LUA_SIM_BOOKS_H
#define MESOS_LUA_SIM_BOOKS_H

#include "base/buffer.h"
#include "base/error.h"
#include "loop/loop.h"
#include "master/master.h"

struct books;
struct books_job;

#define BOOKS_JOBS 100000000 // more are refused
#define BOOKS_ID 1000        // bytes of an id

// What the books take of a row; texts may be NULL, and are copied.
struct books_row {
    const char *id;
    const char *role; // NULL: "*". A job's tasks count for its role, whatever role they run in
    const char *user, *name; // of the name, the first JOB_NAME bytes are kept
    double at, duration;     // seconds; a duration of 0: not known
    double cpus, mem, disk, gpus, priority;
    unsigned tasks; // that have to finish until the job has; 0 is 1
};

struct books *books_create(struct loop *loop, struct master *master);
void books_destroy(struct books *books); // NULL is fine

// A job goes to the policy. It waits from its `at`, or from now if that is still to come. False,
// and `err`: the id is taken, empty or too long.
bool books_submit(struct books *books, const struct books_row *row, struct error *err);

// The policy did not take the job: submit() has raised, or answered with an error. Nothing waits
// for it any more. If a task of it was launched already, or is launched later, it counts as any
// other job.
void books_refused(struct books *books, const char *id);

// ---- while it runs ----

// What is known of a task that was launched and that the master has not forgotten; borrowed until
// time passes.
struct books_task_facts {
    const char *task_id, *name, *agent_id, *hostname;
    double cpus, mem, disk, gpus;
    unsigned attempt;            // it is the how-manieth task of its job, or 1
    const struct books_job *job; // NULL: it belongs to none
};

// The task of that id, of any framework; may be used when the runner of tasks asks for its fate.
// False: there is none.
bool books_task(const struct books *books, const char *task_id, struct books_task_facts *facts);

// The job that a task with this id, name and label `job` belongs to, each of which may be NULL; or
// NULL. It lives as long as the books.
struct books_job *books_job_of(struct books *books, const char *task_id, const char *name,
                               const char *label);
const char *books_job_id(const struct books *books, const struct books_job *job);
double books_job_duration(const struct books *books, const struct books_job *job); // of its row

// How things stand now.
struct books_counts {
    uint64_t submitted, refused; // jobs
    uint64_t finished;           // as many of their tasks have finished as they need
    uint64_t running;            // a task of it runs
    uint64_t waiting;            // none of it runs or has ended badly
    uint64_t failed;             // none runs or was launched since the last one ended badly
    uint64_t unfinished;         // running, waiting and failed
    uint64_t live_tasks;         // launched, and not ended
    uint64_t events;             // jobs submitted, offers made, calls, updates
    uint64_t last_change; // when a job was submitted, or a task launched or ended; loop_now()
};

struct books_counts books_counts(const struct books *books);
size_t books_unfinished(const struct books *books);
uint64_t books_last_change(const struct books *books);

// ---- why jobs wait ----

// Asks why a task of these needs is not placed, for the jobs that have waited longest and have not
// started: from the loop, a few at a time (wait_reasons.h), and in books_end()
// for 20. It appends the text; false: there is nothing to say. NULL: they ask no longer.
void books_why(struct books *books,
               bool (*explain)(void *data, const struct books_row *need, struct buffer *text),
               void *data);

// ---- the end ----

// The run is over, at this time: nothing is observed and asked any more. A second call does
// nothing.
void books_end(struct books *books);

#endif
