// SPDX-License-Identifier: Apache-2.0
//
// Distributions of numbers. The quantile p of n sorted values is at the place p * (n - 1), and
// between two values where that is between two places: type 7 of Hyndman and Fan, as in R and
// NumPy.
//
// Sorted values give exact quantiles. Where numbers come without end, `struct quantiles` keeps them
// all up to QUANTILES_EXACT; beyond that it counts them in buckets of which each is at most 1/128
// as wide as its values, so that a quantile is wrong by 0.4 % at most. The count, the mean, the
// least and the largest are always exact.

#ifndef MESOS_LUA_SIM_QUANTILES_H
#define MESOS_LUA_SIM_QUANTILES_H

#include "sim/wide_sum.h"

#include <stddef.h>
#include <stdint.h>

enum { QUANTILES_EXACT = 100000, QUANTILES_BUCKETS = 58 * 128 };

double quantiles_of_sorted(const double *values, size_t count, double p); // count > 0

// ---- many numbers; a zeroed struct is empty ----

struct quantiles {
    uint64_t *values;  // as they came; NULL if there are too many
    uint64_t *buckets; // NULL until then
    size_t capacity;
    uint64_t count, least, most;
    wide_sum sum;
};

void quantiles_add(struct quantiles *quantiles, uint64_t value);
double quantiles_at(const struct quantiles *quantiles, double p); // of none: 0
double quantiles_mean(const struct quantiles *quantiles);         // of none: 0
void quantiles_free(struct quantiles *quantiles);

// The bucket of a number, which grows with it.
unsigned quantiles_bucket(uint64_t value);

#endif
