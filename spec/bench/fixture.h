// SPDX-License-Identifier: Apache-2.0
//
// What the benchmarks share: a real driver and a real script on a transport that is a pair of
// functions, events of the shape that a master sends, and a clock. Nothing here is timed.

#ifndef MESOS_LUA_SPEC_BENCH_STAGE_H
#define MESOS_LUA_SPEC_BENCH_STAGE_H

#include "base/bytes.h"

#include <stdint.h>

struct stage;

// A script (its text) as the scheduler of a subscribed driver, on a virtual clock. Ends the process
// with a message if the script is wrong.
struct stage *stage_create(const char *script);
void stage_destroy(struct stage *stage);

// The next event arrives. A reference is taken.
void stage_event(struct stage *stage, struct bytes *record);

// Calls that went out since the last time, and their bytes.
uint64_t stage_calls(struct stage *stage, uint64_t *bytes);

// Callbacks that raised.
uint64_t stage_failures(const struct stage *stage);

// An OFFERS event of so many offers, as a large cluster's master writes it: about 700 bytes each.
struct bytes *stage_offers(unsigned count);
struct bytes *stage_offers_from(unsigned first, unsigned count); // numbered from `first`

// An UPDATE event with a uuid; and one for each of many tasks, on agents with 50 tasks each.
struct bytes *stage_update(void);
struct bytes *stage_task_update(unsigned number);

struct bytes *stage_message(void); // a MESSAGE event

size_t stage_script_memory(const struct stage *stage); // bytes, after a whole collection

// Sorts the values, from the least on; the middle one.
double stage_median(double *values, size_t count);

uint64_t stage_now(void); // nanoseconds of CPU time of this thread

#endif
