// SPDX-License-Identifier: Apache-2.0
//
// The parts of GET_STATE of an agent's v1 operator API, and its containers. They write the lists of
// the message that is open.

#ifndef MESOS_LUA_OPERATOR_AGENT_API_STATE_H
#define MESOS_LUA_OPERATOR_AGENT_API_STATE_H

#include "operator/api_messages.h"
#include "operator/response_writer.h"

void agent_api_state_tasks(struct response_writer *writer, const struct node *node);
void agent_api_state_executors(struct response_writer *writer, const struct node *node);
void agent_api_state_frameworks(struct response_writer *writer, const struct node *node);
void agent_api_state(struct response_writer *writer, const struct node *node); // these three
void agent_api_state_containers(struct response_writer *writer, const struct node *node);

#endif
