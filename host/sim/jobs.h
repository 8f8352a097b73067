// SPDX-License-Identifier: Apache-2.0
//
// The jobs of a run: some 150 bytes each, found by id, never freed before the end. Those that have
// not started are in a list, the one that was submitted first in front. Roles, users and priorities
// are names with numbers; of each there are at most JOB_NAMES, and what comes later is named
// "(others)".

#ifndef MESOS_LUA_SIM_JOBS_H
#define MESOS_LUA_SIM_JOBS_H

#include "base/hash_index.h"
#include "base/string_map.h"
#include "sim/scalars.h"

#include <stdbool.h>

enum { JOB_NAMES = 1000, JOBS_CHUNK = 1024, JOB_NAME = 1000 };

#define JOB_NAMES_NONE UINT16_MAX

struct job_name {
    struct string_map_entry entry;
    char *text;
};

struct job_names {
    struct job_name **items;
    size_t count;
    struct string_map table;
};

uint16_t job_names_number(struct job_names *names, const char *text);       // NULL: JOB_NAMES_NONE
const char *job_names_text(const struct job_names *names, uint16_t number); // NULL for that
void job_names_free(struct job_names *names);

enum job_state {
    JOB_WAITING,  // for its first task, or for a next one
    JOB_RUNNING,  // a task of it runs
    JOB_FINISHED, // for good
    JOB_FAILED,   // its last task ended badly, and none was launched since
    JOB_REFUSED,  // the policy did not take it
    JOB_STATES,
};

extern const char *const job_state_names[JOB_STATES];

// Times are of loop_now().
struct books_job {
    const char *id;
    const char *name;  // of its row, or NULL
    uint64_t at;       // it waits since then
    uint64_t launch;   // of its first task; valid if `launched` is not 0
    uint64_t started;  // when its first task ran; valid if `has_started`
    uint64_t ended;    // when it finished, or the last task ended
    uint64_t duration; // of its row, 0: not known
    uint64_t ran;      // the longest of its tasks that have finished
    int64_t need[SCALARS];
    uint32_t number;                // of all jobs
    uint32_t before, after;         // in the list of those that have not started; JOBS_NONE
    uint32_t tasks, finished;       // how many have to finish, and how many have
    uint32_t launched, live, runs;  // tasks: ever; not ended; that run
    uint32_t failed;                // that have ended and did not finish
    uint16_t role, user, priority;  // numbers of names
    uint8_t state;                  // enum job_state
    bool has_started, refused, bad; // bad: the last task that ended did so badly
    bool listed;                    // it is in the list
};

#define JOBS_NONE UINT32_MAX

struct jobs {
    struct books_job **chunks;
    size_t count;
    struct hash_index index;
    char **blocks; // of ids and names
    size_t block_count, block_left;
    char *block_at;
    const char *last_name;
    uint32_t first, last; // that have not started
    struct job_names roles, users, priorities;
};

static inline struct books_job *jobs_get(const struct jobs *jobs, size_t number) // from 0
{
    return &jobs->chunks[number / JOBS_CHUNK][number % JOBS_CHUNK];
}

void jobs_init(struct jobs *jobs);
void jobs_free(struct jobs *jobs);

struct books_job *jobs_find(const struct jobs *jobs, struct slice id); // or NULL

// A new job of that id, which is not taken; in the list, zeroed but for that, `id` and `number`.
struct books_job *jobs_add(struct jobs *jobs, struct slice id);

// A job's name is kept, at most its first JOB_NAME bytes; NULL is fine.
void jobs_set_name(struct jobs *jobs, struct books_job *job, const char *name);

// It has never started, and waits.
bool jobs_waits_still(const struct books_job *job);

// Of the longest of its tasks that have finished, or what its row says; 0: not known.
uint64_t jobs_run_time(const struct books_job *job);
double jobs_slowdown(uint64_t wait, uint64_t run); // `run` is not 0

void jobs_unlist(struct jobs *jobs, struct books_job *job); // not twice
struct books_job *jobs_first(const struct jobs *jobs);      // that has not started, or NULL
struct books_job *jobs_next(const struct jobs *jobs, const struct books_job *job);

#endif
