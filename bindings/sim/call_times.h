// SPDX-License-Identifier: Apache-2.0
//
// How long the code of a policy has run, in real time, by what called it: callbacks by their names,
// timers and spawned functions by where they were made. A call that waits has several slices.

#ifndef MESOS_LUA_BINDINGS_SIM_CALL_TIMES_H
#define MESOS_LUA_BINDINGS_SIM_CALL_TIMES_H

#include "base/string_map.h"

#include <stdbool.h>
#include <stdint.h>

// A slice of that many nanoseconds is in a bucket by its logarithm: eight of them for each
// doubling, so that a quantile is right to a tenth.
enum { CALL_TIMES_BUCKETS = 8 * 48, CALL_TIMES_NAMES = 1000, CALL_TIMES_TEXT = 1000 };

struct call_time {
    struct string_map_entry entry;
    struct call_time *next; // in the order of their first calls
    char *name;
    uint64_t count, failures; // of calls
    char *failure;      // of the first one that failed, what it said in one line; NULL: none did
    const char *kind;   // of that one: "callback ", or "" where the name has it
    uint64_t failed_at; // loop_now() then
    uint64_t slices, total, longest;
    uint64_t buckets[CALL_TIMES_BUCKETS];
};

struct call_times {
    struct string_map names;
    struct call_time *first, **last;
};

void call_times_init(struct call_times *times);
void call_times_free(struct call_times *times);

// The row of that name, "resourceOffers" or "timer of x.lua:3"; of too many names, the last one is
// that of all others.
struct call_time *call_times_row(struct call_times *times, const char *kind, const char *name);

// Counts a failure. `kind` lives as long as the program; of `text` the first line is kept, up to
// CALL_TIMES_TEXT bytes.
void call_time_fail(struct call_time *row, const char *kind, const char *text, uint64_t now);

void call_time_add(struct call_time *row, uint64_t nanoseconds); // a slice
uint64_t call_time_quantile(const struct call_time *row, double share);

#endif
