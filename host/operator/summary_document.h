// SPDX-License-Identifier: Apache-2.0
//
// /state-summary: agents and frameworks without their tasks, which are counted by state.

#ifndef MESOS_LUA_OPERATOR_SUMMARY_DOCUMENT_H
#define MESOS_LUA_OPERATOR_SUMMARY_DOCUMENT_H

#include "operator/state_document.h"

void summary_document(struct json_writer *writer, const struct master *master,
                      const struct document_query *query);

#endif
