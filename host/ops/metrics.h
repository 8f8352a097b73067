// SPDX-License-Identifier: Apache-2.0
//
// What can be seen of a running host, from one table of rows: Prometheus's text with the rows'
// names, types and help, JSON with the same names, and a summary for people. Everything is read
// when it is asked for; nobody pays for it otherwise.
//
// The numbers are those of the script's scheduler or, of a script that runs drivers itself, of the
// one that it made last; with the next driver its counters begin again at 0.

#ifndef MESOS_LUA_OPS_METRICS_H
#define MESOS_LUA_OPS_METRICS_H

#include "app/reload.h"
#include "bindings/scheduler/scheduler.h"
#include "cluster/cluster.h"

#include <jansson.h>

// A host as its operator sees it. What the pointers point to may change or be NULL at any time.
struct metrics_subject {
    struct loop *loop;
    const struct scheduler_environment *environment;
    const char *path;             // of the script, as it was given; NULL: there is none to be
    struct cluster *cluster;      // that runs alone then
    struct script **script;       // the version that runs
    struct scheduler **scheduler; // of a script that returned its table
    struct reload **reload;
    double started; // stopwatch_seconds()
};

// The scheduler that is meant, or NULL.
struct scheduler *metrics_scheduler(const struct metrics_subject *subject);

// Append to `out`, up to its cap.
void metrics_prometheus(const struct metrics_subject *subject, struct buffer *out);
void metrics_summary(const struct metrics_subject *subject, struct buffer *out);

json_t *metrics_json(const struct metrics_subject *subject); // a new object

#endif
