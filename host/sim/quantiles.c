// SPDX-License-Identifier: Apache-2.0
//
// Distributions of numbers; see the header.

#include "sim/quantiles.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { BITS = 7, PARTS = 1 << BITS }; // of each power of two

double quantiles_of_sorted(const double *values, size_t count, double p)
{
    double place = p * (double)(count - 1);
    size_t below = place > 0 ? (size_t)place : 0;
    if (below >= count - 1)
        return values[count - 1];
    double low = values[below], high = values[below + 1];
    return low + (high - low) * (place - (double)below);
}

// ---- buckets ----

static unsigned log_of(uint64_t value)
{
    return 63 - (unsigned)__builtin_clzll(value);
}

// Numbers below PARTS have a bucket each; from there on each power of two has PARTS buckets.
unsigned quantiles_bucket(uint64_t value)
{
    if (value < PARTS)
        return (unsigned)value;
    unsigned shift = log_of(value) - BITS;
    return (shift + 1) * PARTS + (unsigned)(value >> shift) - PARTS;
}

static double middle_of(unsigned bucket)
{
    if (bucket < PARTS)
        return bucket;
    unsigned shift = bucket / PARTS - 1;
    uint64_t least = (uint64_t)(bucket % PARTS + PARTS) << shift;
    return (double)least + (double)((UINT64_C(1) << shift) - 1) / 2;
}

// ---- many numbers ----

static void keep(struct quantiles *quantiles, uint64_t value)
{
    if (quantiles->count == quantiles->capacity) {
        quantiles->capacity = quantiles->capacity ? quantiles->capacity * 2 : 64;
        quantiles->values =
            memory_resize(quantiles->values, quantiles->capacity * sizeof *quantiles->values);
    }
    quantiles->values[quantiles->count] = value;
}

static void begin_buckets(struct quantiles *quantiles)
{
    quantiles->buckets = memory_new(QUANTILES_BUCKETS * sizeof *quantiles->buckets);
    for (size_t i = 0; i < quantiles->count; i++)
        quantiles->buckets[quantiles_bucket(quantiles->values[i])]++;
    free(quantiles->values);
    quantiles->values = NULL;
}

void quantiles_add(struct quantiles *quantiles, uint64_t value)
{
    if (quantiles->count == QUANTILES_EXACT && quantiles->buckets == NULL)
        begin_buckets(quantiles);
    if (quantiles->buckets != NULL)
        quantiles->buckets[quantiles_bucket(value)]++;
    else
        keep(quantiles, value);
    if (quantiles->count == 0 || value < quantiles->least)
        quantiles->least = value;
    if (value > quantiles->most)
        quantiles->most = value;
    quantiles->count++;
    quantiles->sum += value;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static double exact_at(const struct quantiles *quantiles, double p)
{
    size_t count = (size_t)quantiles->count;
    double *sorted = memory_new(count * sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = (double)quantiles->values[i];
    qsort(sorted, count, sizeof *sorted, compare);
    double value = quantiles_of_sorted(sorted, count, p);
    free(sorted);
    return value;
}

static double bucket_at(const struct quantiles *quantiles, double p)
{
    uint64_t place = (uint64_t)(p * (double)(quantiles->count - 1)), before = 0;
    unsigned bucket = 0;
    while (bucket + 1 < QUANTILES_BUCKETS && (before += quantiles->buckets[bucket]) <= place)
        bucket++;
    double value = middle_of(bucket);
    if (value < (double)quantiles->least)
        return (double)quantiles->least;
    return value > (double)quantiles->most ? (double)quantiles->most : value;
}

double quantiles_at(const struct quantiles *quantiles, double p)
{
    if (quantiles->count == 0)
        return 0;
    return quantiles->buckets != NULL ? bucket_at(quantiles, p) : exact_at(quantiles, p);
}

double quantiles_mean(const struct quantiles *quantiles)
{
    return quantiles->count > 0 ? (double)quantiles->sum / (double)quantiles->count : 0;
}

void quantiles_free(struct quantiles *quantiles)
{
    free(quantiles->values);
    free(quantiles->buckets);
    *quantiles = (struct quantiles){.count = 0};
}
