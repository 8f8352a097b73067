// SPDX-License-Identifier: Apache-2.0
//
// A framework as the endpoints of the master have it: one that is there, or one of the past.

#ifndef MESOS_LUA_OPERATOR_FRAMEWORK_JSON_H
#define MESOS_LUA_OPERATOR_FRAMEWORK_JSON_H

#include "operator/json_writer.h"
#include "operator/usage.h"

// What a document shows of a framework.
struct framework_view {
    const char *id;
    const Mesos__V1__FrameworkInfo *info;
    const struct framework_past *past;
    const struct master_framework *live; // NULL: it is completed
    struct usage usage;
};

void framework_json_view(struct framework_view *view, const struct master_framework *framework);
void framework_json_view_completed(struct framework_view *view, const struct completed *completed);
void framework_json_free(struct framework_view *view);

void framework_json_summary(struct json_writer *writer, const struct framework_view *view);
void framework_json_full(struct json_writer *writer, const struct framework_view *view);

void framework_json_roles(struct json_writer *writer, const Mesos__V1__FrameworkInfo *info);

#endif
