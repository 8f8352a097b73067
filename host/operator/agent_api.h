// SPDX-License-Identifier: Apache-2.0
//
// The calls of the v1 operator API of an agent that read, and SET_LOGGING_LEVEL. Those that start
// containers, or change resource providers, are refused: the agents of the local cluster have
// neither.

#ifndef MESOS_LUA_OPERATOR_AGENT_API_H
#define MESOS_LUA_OPERATOR_AGENT_API_H

#include "base/buffer.h"
#include "master/master_records.h"

#include "mesos/v1/agent/agent.pb-c.h"

struct agent_api_request {
    const struct node *node;
    const Mesos__V1__Agent__Call *call;
    bool protobuf;      // the form of the response
    struct buffer *out; // gets the response
};

// The error is the body of an answer with status 400, without "Failed to validate agent::Call".
bool agent_api_validate(const Mesos__V1__Agent__Call *call, struct error *err);

// Answers a valid call. A status of 400 or more has an error, which is the body.
struct master_answer agent_api_call(const struct agent_api_request *request);

#endif
