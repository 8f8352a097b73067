// SPDX-License-Identifier: Apache-2.0
//
// /tasks: a page of the tasks of all frameworks, in the order of their first updates.

#ifndef MESOS_LUA_OPERATOR_TASKS_DOCUMENT_H
#define MESOS_LUA_OPERATOR_TASKS_DOCUMENT_H

#include "operator/state_document.h"

// ?limit (100), ?offset, ?order ("asc" or else the latest first), ?framework_id, ?task_id
void tasks_document(struct json_writer *writer, const struct master *master,
                    const struct document_query *query);

#endif
