// SPDX-License-Identifier: Apache-2.0
//
// A task as the endpoints of masters and agents have it.

#ifndef MESOS_LUA_OPERATOR_TASK_JSON_H
#define MESOS_LUA_OPERATOR_TASK_JSON_H

#include "master/task_record.h"
#include "operator/json_writer.h"

void task_json(struct json_writer *writer, const char *key, const struct task_record *record);
void task_json_message(struct json_writer *writer, const char *key, const Mesos__V1__Task *task);
void task_json_list(struct json_writer *writer, const char *key,
                    const struct task_records *records);
void task_json_labels(struct json_writer *writer, const char *key, const Mesos__V1__Labels *labels);

#endif
