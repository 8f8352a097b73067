// SPDX-License-Identifier: Apache-2.0
//
// The documents about the cluster in the shapes of a master's endpoints: /state, /state-summary,
// /slaves, /frameworks and /tasks. Order and types of the members are Mesos's.

#ifndef MESOS_LUA_OPERATOR_STATE_DOCUMENT_H
#define MESOS_LUA_OPERATOR_STATE_DOCUMENT_H

#include "master/master.h"
#include "operator/json_writer.h"

// The arguments of a request; NULL for one that it lacks.
struct document_query {
    const char *(*argument)(void *data, const char *name);
    void *data;
};

void state_document(struct json_writer *writer, const struct master *master,
                    const struct document_query *query);
void state_document_slaves(struct json_writer *writer, const struct master *master,
                           const struct document_query *query); // ?slave_id
void state_document_frameworks(struct json_writer *writer, const struct master *master,
                               const struct document_query *query); // ?framework_id

#endif
