// SPDX-License-Identifier: Apache-2.0
//
// How the calls of the v1 operator API of a master answer: with a response, or with a status and a
// text.

#ifndef MESOS_LUA_OPERATOR_API_ANSWER_H
#define MESOS_LUA_OPERATOR_API_ANSWER_H

#include "operator/master_api.h"
#include "operator/response_writer.h"

// Writes a response that consists of this one message.
struct master_answer api_answer_respond(const struct api_request *request,
                                        const Mesos__V1__Master__Response *response);

// Begins a response of that type, and opens its message; ends both.
void api_answer_open(const struct api_request *request, struct response_writer *writer,
                     Mesos__V1__Master__Response__Type type, const char *field);
struct master_answer api_answer_close(struct response_writer *writer);

struct master_answer api_answer_report(bool good, const struct error *err); // 200, or 400 or 409
struct master_answer api_answer_refuse(int status, const char *text);

#endif
