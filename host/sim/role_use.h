// SPDX-License-Identifier: Apache-2.0
//
// How much of the cluster each role uses: its dominant share, which is its largest share of a
// resource in running tasks, and how evenly the shares are spread. Roles are numbers of names
// (jobs.h).
//
// A role takes part in fairness while a job of it waits or runs. Jain's index of the shares of
// those that do is (sum of x)^2 / (n * sum of x^2), from 1/n to 1, and its mean is over the time in
// which there are at least two of them and one uses something.

#ifndef MESOS_LUA_SIM_ROLE_USE_H
#define MESOS_LUA_SIM_ROLE_USE_H

#include "sim/scalars.h"
#include "sim/series.h"

#include <stdbool.h>
#include <stddef.h>

enum { ROLE_SERIES = 64 }; // roles that have a series, the first ones

#define ROLE_SHARE_ONE INT64_C(1000000000) // a share of 1

struct role_columns {
    struct series_column share, waiting;
};

struct role_entry {
    int64_t used[SCALARS];
    int64_t share; // of ROLE_SHARE_ONE
    uint64_t jobs; // that wait or run
    uint64_t since;
    wide_sum sum, busy_sum;       // share over time: always, and while it has jobs
    uint64_t busy;                // for how long it had jobs
    struct role_columns *columns; // NULL: it has no series
};

struct role_use {
    struct series *series;
    struct role_entry *entries;
    size_t count, capacity;
    double inverse[SCALARS]; // ROLE_SHARE_ONE / total of the cluster; 0 for nothing
    // Of roles that have jobs: how many, sum of shares, sum of their squares.
    size_t busy;
    int64_t shares;
    wide_sum squares;
    uint64_t since;
    wide_sum jain; // over time, of ROLE_SHARE_ONE
    uint64_t jain_time;
};

void role_use_init(struct role_use *use, struct series *series, uint64_t now);
void role_use_free(struct role_use *use);

void role_use_set_total(struct role_use *use, const struct series_column total[SCALARS],
                        uint64_t now);
void role_use_take(struct role_use *use, uint16_t role, const struct scalars *amounts, int sign,
                   uint64_t now);

// So many jobs more of it wait or run, and so many more of these wait.
void role_use_count_jobs(struct role_use *use, uint16_t role, int jobs, int waiting, uint64_t now);

void role_use_settle(struct role_use *use, uint64_t now); // before the fields are read

#endif
