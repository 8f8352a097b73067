// SPDX-License-Identifier: Apache-2.0
//
// An executor of a framework as the endpoints of the master have it.

#ifndef MESOS_LUA_OPERATOR_EXECUTOR_JSON_H
#define MESOS_LUA_OPERATOR_EXECUTOR_JSON_H

#include "master/master_records.h"
#include "operator/json_writer.h"

void executor_json(struct json_writer *writer, const struct master_executor *executor);

#endif
