// SPDX-License-Identifier: Apache-2.0
//
// How long the code of a policy has run: see call_times.h.

#include "bindings/sim/call_times.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void call_times_init(struct call_times *times)
{
    *times = (struct call_times){.first = NULL};
    times->last = &times->first;
}

void call_times_free(struct call_times *times)
{
    for (struct call_time *row = times->first, *next; row != NULL; row = next) {
        next = row->next;
        string_map_remove(&times->names, &row->entry);
        free(row->failure);
        free(row->name);
        free(row);
    }
    string_map_free(&times->names);
}

struct call_time *call_times_row(struct call_times *times, const char *kind, const char *name)
{
    char text[256];
    bool callback = strcmp(kind, "callback") == 0;
    snprintf(text, sizeof text, "%s%s%s", callback ? "" : kind, callback ? "" : " ", name);
    struct call_time *row = string_map_find(&times->names, text);
    if (row == NULL && times->names.count >= CALL_TIMES_NAMES - 1) {
        snprintf(text, sizeof text, "others");
        row = string_map_find(&times->names, text);
    }
    if (row != NULL)
        return row;
    row = memory_new(sizeof *row);
    row->name = memory_string(text);
    string_map_put(&times->names, &row->entry, row->name, row);
    *times->last = row;
    times->last = &row->next;
    return row;
}

// The bucket of a value: its octave, and the eighth within.
static unsigned bucket_of(uint64_t value)
{
    if (value < 16)
        return (unsigned)value;
    unsigned octave = 63 - (unsigned)__builtin_clzll(value);
    unsigned bucket = 16 + (octave - 4) * 8 + (unsigned)(value >> (octave - 3) & 7);
    return bucket < CALL_TIMES_BUCKETS ? bucket : CALL_TIMES_BUCKETS - 1;
}

// The largest value of a bucket.
static uint64_t bucket_end(unsigned bucket)
{
    if (bucket < 16)
        return bucket;
    unsigned octave = (bucket - 16) / 8 + 4, part = (bucket - 16) % 8;
    return ((uint64_t)(8 + part + 1) << (octave - 3)) - 1;
}

void call_time_fail(struct call_time *row, const char *kind, const char *text, uint64_t now)
{
    row->failures++;
    if (row->failure != NULL)
        return;
    size_t length = strcspn(text, "\n");
    row->kind = kind;
    row->failed_at = now;
    row->failure =
        memory_format("%.*s", (int)(length < CALL_TIMES_TEXT ? length : CALL_TIMES_TEXT), text);
}

void call_time_add(struct call_time *row, uint64_t nanoseconds)
{
    row->slices++;
    row->total += nanoseconds;
    row->buckets[bucket_of(nanoseconds)]++;
    if (nanoseconds > row->longest)
        row->longest = nanoseconds;
}

uint64_t call_time_quantile(const struct call_time *row, double share)
{
    uint64_t wanted = (uint64_t)ceil(share * (double)row->slices), seen = 0;
    for (unsigned i = 0; i < CALL_TIMES_BUCKETS; i++) {
        seen += row->buckets[i];
        if (seen >= wanted && seen > 0)
            return bucket_end(i) < row->longest ? bucket_end(i) : row->longest;
    }
    return row->longest;
}
