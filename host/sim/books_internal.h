// SPDX-License-Identifier: Apache-2.0
//
// The parts of the books, for the files of this room: books.c (their life, jobs, questions),
// books_jobs.c (the states of jobs), books_tasks.c (tasks), books_observer.c (what the master
// tells), results.c.

#ifndef MESOS_LUA_SIM_BOOKS_INTERNAL_H
#define MESOS_LUA_SIM_BOOKS_INTERNAL_H

#include "master/master_records.h"
#include "sim/agent_use.h"
#include "sim/books.h"
#include "sim/first_tasks.h"
#include "sim/jobs.h"
#include "sim/quantiles.h"
#include "sim/role_use.h"
#include "sim/series.h"
#include "sim/wait_reasons.h"

#include <sys/queue.h>

// What a state is to the books.
enum task_phase {
    PHASE_LAUNCHED, // it does not run yet
    PHASE_RUNNING,
    PHASE_FINISHED, // from here on it has ended
    PHASE_FAILED,
    PHASE_KILLED,
    PHASE_LOST, // it may come back
    PHASES,
};

// A task that the master has not forgotten.
struct followed_task {
    TAILQ_ENTRY(followed_task) link; // of those, or of free ones
    struct master_task *of;          // whose `followed` it is
    struct books_job *job;           // NULL: it belongs to none
    struct first_task *first;        // NULL: it is not one of the first
    struct scalars amounts;
    uint64_t since; // when it began to run
    uint64_t ended;
    unsigned node; // the number of its agent
    uint32_t attempt;
    uint16_t role;
    uint8_t phase; // enum task_phase
    bool has_run;
};

TAILQ_HEAD(followed_tasks, followed_task);

enum { BOOKS_CALLS = HISTORY_CALLS };

struct books {
    struct loop *loop;
    struct observer observer;
    struct timer look; // for jobs that wait
    uint64_t start, stop;
    bool ended;
    struct series series;
    struct jobs jobs;
    struct agent_use agents;
    struct role_use roles;
    struct wait_reasons reasons;
    struct first_tasks first;
    struct quantiles held; // how long offers were, in nanoseconds
    struct results *results;
    bool (*explain)(void *data, const struct books_row *need, struct buffer *text);
    void *explain_data;

    uint64_t by_state[JOB_STATES], submitted_jobs;
    uint64_t last_change;
    uint64_t first_at;    // of the jobs; valid if there is one
    double last_priority; // and its number, as most jobs have that of the one before
    uint16_t last_priority_number;

    struct followed_tasks tasks, spare_tasks;
    uint64_t launched, live, by_phase[PHASES]; // tasks; by_phase: of those that ended
    wide_sum useful, wasted;                   // thousandths of cpus times nanoseconds

    uint64_t made, by_end[OFFER_END_VOID + 1], updates, call_count, calls[BOOKS_CALLS];

    // Counts by step, and numbers over time.
    struct series_column submitted, started, finished, failed, offers, call_column;
    struct series_column waiting, running, offered[SCALARS];
};

// It is now; steps that are over are closed. To be called before anything is counted.
uint64_t books_now(struct books *books);

// ---- books_jobs.c ----

void books_jobs_submitted(struct books *books, struct books_job *job, uint64_t now);
void books_jobs_refused(struct books *books, struct books_job *job, uint64_t now);

// A task of it was launched, which `launched` counts already, has begun to run, or has ended.
void books_jobs_launched(struct books *books, struct books_job *job, uint64_t now);
void books_jobs_runs(struct books *books, struct books_job *job, uint64_t now);
void books_jobs_ended(struct books *books, struct books_job *job, const struct followed_task *task,
                      uint64_t now);

// A task of it that was lost is back.
void books_jobs_regained(struct books *books, struct books_job *job,
                         const struct followed_task *task, uint64_t now);

// ---- books_tasks.c ----

void books_tasks_launched(struct books *books, struct master_task *task,
                          const Mesos__V1__TaskInfo *info, const struct resources *resources);
void books_tasks_refused(struct books *books, const Mesos__V1__TaskInfo *info,
                         Mesos__V1__TaskState state);
void books_tasks_entered(struct books *books, struct master_task *task);
void books_tasks_forgotten(struct books *books, struct master_task *task);
void books_tasks_leave(struct books *books); // no task is followed any more
void books_tasks_free(struct books *books);

// ---- books_observer.c ----

void books_observer_start(struct books *books, struct master *master);
char *books_observer_label(const struct node *node); // of an agent; free() it

#endif
