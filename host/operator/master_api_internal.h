// SPDX-License-Identifier: Apache-2.0
//
// What the files of the v1 operator API share: the functions of its calls.

#ifndef MESOS_LUA_OPERATOR_MASTER_API_INTERNAL_H
#define MESOS_LUA_OPERATOR_MASTER_API_INTERNAL_H

#include "operator/api_answer.h"
#include "operator/master_api.h"

typedef struct master_answer (*api_handler)(const struct api_request *request);

// ---- master_api_queries.c: calls that read ----

struct master_answer master_api_get_health(const struct api_request *request);
struct master_answer master_api_get_flags(const struct api_request *request);
struct master_answer master_api_get_version(const struct api_request *request);
struct master_answer master_api_get_metrics(const struct api_request *request);
struct master_answer master_api_get_logging_level(const struct api_request *request);
struct master_answer master_api_list_files(const struct api_request *request);
struct master_answer master_api_read_file(const struct api_request *request);
struct master_answer master_api_get_roles(const struct api_request *request);
struct master_answer master_api_get_weights(const struct api_request *request);
struct master_answer master_api_get_quota(const struct api_request *request);
struct master_answer master_api_get_master(const struct api_request *request);
struct master_answer master_api_get_operations(const struct api_request *request);

// ---- master_api_changes.c: calls that change the cluster ----

struct master_answer master_api_set_logging_level(const struct api_request *request);
struct master_answer master_api_update_weights(const struct api_request *request);
struct master_answer master_api_update_quota(const struct api_request *request);
struct master_answer master_api_set_quota(const struct api_request *request);
struct master_answer master_api_remove_quota(const struct api_request *request);
struct master_answer master_api_reserve(const struct api_request *request);
struct master_answer master_api_unreserve(const struct api_request *request);
struct master_answer master_api_create_volumes(const struct api_request *request);
struct master_answer master_api_destroy_volumes(const struct api_request *request);
struct master_answer master_api_grow_volume(const struct api_request *request);
struct master_answer master_api_shrink_volume(const struct api_request *request);
struct master_answer master_api_teardown(const struct api_request *request);
struct master_answer master_api_mark_agent_gone(const struct api_request *request);
struct master_answer master_api_drain_agent(const struct api_request *request);
struct master_answer master_api_deactivate_agent(const struct api_request *request);
struct master_answer master_api_reactivate_agent(const struct api_request *request);

// ---- master_api_maintenance.c ----

struct master_answer master_api_get_maintenance_status(const struct api_request *request);
struct master_answer master_api_get_maintenance_schedule(const struct api_request *request);
struct master_answer master_api_update_maintenance_schedule(const struct api_request *request);
struct master_answer master_api_start_maintenance(const struct api_request *request);
struct master_answer master_api_stop_maintenance(const struct api_request *request);

#endif
