// SPDX-License-Identifier: Apache-2.0
//
// The documents of an agent's own endpoints: /slave(N)/state, /slave(N)/containers,
// /slave(N)/monitor/statistics and /slave(N)/flags. They are made from what the master knows of the
// agent's tasks: executors are those that updates have named.

#ifndef MESOS_LUA_OPERATOR_AGENT_DOCUMENT_H
#define MESOS_LUA_OPERATOR_AGENT_DOCUMENT_H

#include "operator/agent_executors.h"
#include "operator/state_document.h"

void agent_document_state(struct json_writer *writer, const struct node *node,
                          const struct document_query *query);
void agent_document_containers(struct json_writer *writer, const struct node *node,
                               const struct document_query *query);
void agent_document_statistics(struct json_writer *writer, const struct node *node,
                               const struct document_query *query);
void agent_document_flags(struct json_writer *writer, const struct node *node,
                          const struct document_query *query);

#endif
