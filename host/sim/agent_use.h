// SPDX-License-Identifier: Apache-2.0
//
// What the agents have and how much of it tasks use: the totals, the heat map, and fragmentation.
// An agent is known by the number that its master gave it, from 1 in the order of their coming; one
// that is lost and comes back keeps it.
//
// The heat map has a row for each agent, or, when there would be more than AGENT_USE_ROWS, for each
// 2, 4, 8... that came one after another: rows are merged as steps of a series are.
//
// Fragmentation is sampled at the end of each step, which takes a look at all agents: of the cpus
// and the memory that are free, how much is on agents where the median task does not fit. The
// median task has the median cpus and the median memory of the jobs so far, each for itself, which
// is too small by 1/128 at most.

#ifndef MESOS_LUA_SIM_AGENT_USE_H
#define MESOS_LUA_SIM_AGENT_USE_H

#include "sim/quantiles.h"
#include "sim/scalars.h"
#include "sim/series.h"

#include <stdbool.h>

enum { AGENT_USE_ROWS = 200, FRAGMENTED = SCALAR_MEM + 1 }; // cpus and mem are what can fragment

// An agent that was here at least once.
struct agent_entry {
    struct scalars total, used; // used: by tasks, which are all gone when it is
    bool here, seen;            // now; ever
};

struct heat_row {
    char *first, *last; // labels of agents
    unsigned agents;
    struct series_column used, total; // cpus
};

// Buckets of numbers with the least of each.
struct need_counts {
    uint64_t counts[QUANTILES_BUCKETS];
    int64_t least[QUANTILES_BUCKETS];
    uint64_t count;
};

struct agent_use {
    struct series *series;
    struct agent_entry *entries; // by number; from 1
    int64_t *free[FRAGMENTED];   // of those that are here, by number; 0 of others
    unsigned most, capacity;     // the highest number so far
    struct heat_row *rows[AGENT_USE_ROWS];
    unsigned row_count, per_row;
    struct series_column total[SCALARS], used[SCALARS]; // of all
    struct series_column count;                         // agents that are here
    struct need_counts needs[FRAGMENTED];
    struct series_column stuck[FRAGMENTED], loose[FRAGMENTED]; // samples: unusable, and all free
    int64_t stuck_now[FRAGMENTED], loose_now[FRAGMENTED];      // the last sample
    bool moved;                                                // something has changed since then
    uint64_t came, lost;                                       // distinct agents; losses
};

void agent_use_init(struct agent_use *use, struct series *series, uint64_t now);
void agent_use_free(struct agent_use *use);

// It comes, or comes back. One that is here already is left as it is. The label is copied.
void agent_use_add(struct agent_use *use, unsigned number, const char *label,
                   const struct scalars *total, uint64_t now);
void agent_use_remove(struct agent_use *use, unsigned number, uint64_t now); // it is lost

// A task uses so much of it, or, with a sign of -1, does no longer.
void agent_use_take(struct agent_use *use, unsigned number, const struct scalars *amounts, int sign,
                    uint64_t now);

void agent_use_note_need(struct agent_use *use, const int64_t need[SCALARS]); // of a job's tasks

// At the end of a step of that length.
void agent_use_sample(struct agent_use *use, uint64_t length);

#endif
