// SPDX-License-Identifier: Apache-2.0
//
// A scenario: faults at given times, and at random with a rate. It comes from a file (--faults), or
// from the keys `faults` and `seed` of the file of a cluster:
//
//     seed = 1,
//     faults = { { at = 10, fault = "kill S0 for 30s" },                after 10 seconds
//                { every = 60, fault = "partition any for 10s" },       at random, on average
//                { rate = 0.1, fault = "offers rescinded", agent = "any", from = 5, to = 60 },
//                { at = 30, fault = "master failover", forget = true } }
//
// `fault` is a line of words (faults.h) or its first word alone, or the name that the simulator has
// for it; then `agent` or `framework`, `value`, `for` (seconds), `times` and `forget` complete it.
//
// Times at random depend on the seed and the row alone: with one seed they are always the same.

#ifndef MESOS_LUA_CLUSTER_FAULT_PLAN_H
#define MESOS_LUA_CLUSTER_FAULT_PLAN_H

#include "base/bytes.h"
#include "cluster/faults.h"
#include "cluster/plan_field.h"

#define FAULT_PLAN_ROWS 1000

struct fault_plan_row {
    char *words;
    double at;            // seconds from the start
    double every;         // on average; 0: once, at `at`
    double first, latest; // of those at random; `latest` 0: for ever
};

struct fault_plan {
    struct fault_plan_row *rows;
    size_t count;
    uint64_t seed; // 0: none was given
};

// Reads the text of a file, in JSON: an object with the keys, or the list of faults alone. On
// failure the plan is empty, and the error says where it is wrong.
bool fault_plan_read(struct fault_plan *plan, struct slice text, struct error *err);

// For a description that has these keys.
bool fault_plan_read_faults(const struct plan_field *field, struct fault_plan *plan,
                            struct error *err);
bool fault_plan_read_seed(const struct plan_field *field, struct fault_plan *plan,
                          struct error *err);

void fault_plan_free(struct fault_plan *plan); // empties it

// The plan as it is carried out: starts now.
struct fault_course;

struct fault_course *fault_course_start(struct loop *loop, const struct fault_plan *plan,
                                        uint64_t seed, struct faults *faults);
void fault_course_stop(struct fault_course *course); // NULL is fine

#endif
