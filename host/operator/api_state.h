// SPDX-License-Identifier: Apache-2.0
//
// The parts of GET_STATE of the v1 operator API, each also the answer to a call of its own. They
// write the lists of the message that is open.

#ifndef MESOS_LUA_OPERATOR_API_STATE_H
#define MESOS_LUA_OPERATOR_API_STATE_H

#include "master/master_records.h"
#include "operator/response_writer.h"

void api_state_tasks(struct response_writer *writer, const struct master *master);
void api_state_executors(struct response_writer *writer, const struct master *master);
void api_state_frameworks(struct response_writer *writer, const struct master *master);
void api_state_agents(struct response_writer *writer, const struct master *master);
void api_state(struct response_writer *writer, const struct master *master); // all of them

#endif
