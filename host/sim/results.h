// SPDX-License-Identifier: Apache-2.0
//
// What the books say at the end: plain numbers, computed once. What they mean is in
// host/sim/README.md, "The result of a run". Seconds, cpus, megabytes; a number that has no value
// is left out.

#ifndef MESOS_LUA_SIM_RESULTS_H
#define MESOS_LUA_SIM_RESULTS_H

#include "sim/books.h"

enum { RESULTS_WAITS = 201, RESULTS_LONGEST = 20 };

// summary[group][name], or summary[name] if the group is NULL.
struct results_number {
    const char *group, *name;
    double value;
    bool whole; // it is a count
};

struct results_distribution {
    size_t count; // 0: the others have no value
    double mean, p50, p95, p99, max;
};

// Jobs that have something in common.
struct results_group {
    const char *name;
    struct results_distribution wait, slowdown;
    size_t censored; // of `wait`, those that wait still
    uint64_t submitted, finished, failed, running, waiting, refused;
    double *waits; // RESULTS_WAITS quantiles, or NULL
    double share;  // of a role; negative for others
};

enum results_kind {
    RESULTS_ROLES,
    RESULTS_USERS,
    RESULTS_PRIORITIES,
    RESULTS_SIZES,
    RESULTS_KINDS
};

extern const char *const results_kind_names[RESULTS_KINDS];

struct results_groups {
    struct results_group *items;
    size_t count;
};

// A list of numbers, one for each step.
struct results_column {
    char *name;
    double *values;
};

struct results_row { // of the heat map
    char *label;
    unsigned agents;
    double *cpus; // share in use, one for each step
};

struct results_task {
    const char *task, *job, *agent, *role, *state; // job: NULL if there is none
    double start, stop;                            // stop: negative if it has not ended
};

struct results_wait {
    const char *id, *role, *user, *state, *why; // user and why: NULL if there is none
    double at, wait;
};

struct results {
    struct results_number *numbers;
    size_t number_count, number_capacity;
    struct results_group all;
    struct results_groups kinds[RESULTS_KINDS];
    double width; // of a step of the series
    size_t steps;
    struct results_column *columns;
    size_t column_count, column_capacity;
    struct results_row *rows;
    size_t row_count;
    struct results_task *tasks;
    size_t task_count;
    struct results_wait longest[RESULTS_LONGEST];
    size_t longest_count;
};

// Those of books that have ended; they own them, and texts are theirs.
const struct results *results_of(struct books *books);
void results_destroy(struct results *results); // NULL is fine

// ---- results_groups.c ----

// Fills in the groups of jobs and `longest`.
void results_group_jobs(struct results *results, const struct books *books);
void results_free_groups(struct results *results);

#endif
