// SPDX-License-Identifier: Apache-2.0
//
// Quantities over time, in at most SERIES_STEPS steps of one width. When there are as many, each
// two become one and the width doubles. A column has a sum for each step: the integral of a value
// over time, or a count. Both are integers, so that merging steps loses nothing, and that the order
// of events at one moment does not matter.
//
// Before anything is told to a column, series_reach() is called with the time that it is.

#ifndef MESOS_LUA_SIM_SERIES_H
#define MESOS_LUA_SIM_SERIES_H

#include "sim/wide_sum.h"

#include <stdint.h>
#include <sys/queue.h>

enum { SERIES_STEPS = 512 };

// Owned by its user, who adds it to one series. A column that is added late was 0 before.
struct series_column {
    TAILQ_ENTRY(series_column) link;
    int64_t value;  // that is integrated; 0 for a column that counts
    uint64_t since; // up to then it is in the sums
    wide_sum sum;   // of the step that goes on
    wide_sum steps[SERIES_STEPS];
};

struct series {
    uint64_t start, width; // nanoseconds; the start of the first step
    uint64_t next;         // the end of the step that goes on
    unsigned count;        // steps that are closed
    uint64_t last;         // the length of the last one, once the series has ended; 0 before
    TAILQ_HEAD(, series_column) columns;
    // A step of that length is about to be closed: the time for what is sampled once a step, with
    // series_count(). Called inside of series_reach() and series_end().
    void (*closing)(void *data, uint64_t end, uint64_t length);
    void *data;
};

void series_init(struct series *series, uint64_t start, uint64_t width);
void series_add(struct series *series, struct series_column *column, uint64_t now);
void series_remove(struct series *series, struct series_column *column);

void series_close_steps(struct series *series, uint64_t now);

static inline void series_reach(struct series *series, uint64_t now)
{
    if (now >= series->next)
        series_close_steps(series, now);
}

// The step that goes on is the last, and may be shorter than the others. Nothing is told to its
// columns afterwards.
void series_end(struct series *series, uint64_t now);

static inline void series_settle(struct series_column *column, uint64_t now)
{
    if (now != column->since)
        column->sum += (wide_sum)column->value * (wide_sum)(now - column->since);
    column->since = now;
}

static inline void series_change(struct series_column *column, uint64_t now, int64_t difference)
{
    series_settle(column, now);
    column->value += difference;
}

static inline void series_count(struct series_column *column, wide_sum amount)
{
    column->sum += amount;
}

// Adds one column to another of the same series, which is removed from it.
void series_merge(struct series *series, struct series_column *to, struct series_column *from,
                  uint64_t now);

// ---- reading ----

uint64_t series_length(const struct series *series, unsigned step); // nanoseconds
wide_sum series_total(const struct series_column *column,
                      const struct series *series); // of all closed steps

#endif
