// SPDX-License-Identifier: Apache-2.0
//
// The calls of the v1 operator API of the master, but for SUBSCRIBE (api_events.h): they are
// checked, carried out and answered in the words of a master.

#ifndef MESOS_LUA_OPERATOR_MASTER_API_H
#define MESOS_LUA_OPERATOR_MASTER_API_H

#include "base/buffer.h"
#include "master/master_records.h"

#include "mesos/v1/master/master.pb-c.h"

// A call that is to be answered.
struct api_request {
    struct master *master;
    const Mesos__V1__Master__Call *call;
    bool protobuf;         // the form of the response
    const char *principal; // that was authenticated, or NULL
    struct buffer *out;    // gets the response; stays empty for a call without one
};

// The error is the body of an answer with status 400, without "Failed to validate master::Call".
bool master_api_validate(const Mesos__V1__Master__Call *call, struct error *err);

// Carries out a valid call. A status of 400 or more has an error, which is the body.
struct master_answer master_api_call(const struct api_request *request);

#endif
