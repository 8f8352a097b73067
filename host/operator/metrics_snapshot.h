// SPDX-License-Identifier: Apache-2.0
//
// The metrics of the master under Mesos's names: those whose values are known here.

#ifndef MESOS_LUA_OPERATOR_METRICS_SNAPSHOT_H
#define MESOS_LUA_OPERATOR_METRICS_SNAPSHOT_H

#include "operator/state_document.h"

struct metric_value {
    char name[64];
    double value;
};

struct metrics_snapshot {
    struct metric_value *items; // in the order of their names
    size_t count, capacity;
};

void metrics_snapshot_take(struct metrics_snapshot *snapshot, const struct master *master);
void metrics_snapshot_free(struct metrics_snapshot *snapshot);

// As /metrics/snapshot has them.
void metrics_snapshot_document(struct json_writer *writer, const struct master *master,
                               const struct document_query *query);

#endif
