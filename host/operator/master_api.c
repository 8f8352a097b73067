// SPDX-License-Identifier: Apache-2.0
//
// The table of calls, and their answers; see the header.

#include "operator/master_api_internal.h"

#include "operator/api_state.h"
#include "wire/json_message.h"

#include <stddef.h>
#include <string.h>

typedef Mesos__V1__Master__Call Call;
typedef Mesos__V1__Master__Response Response;

#define RESPONSE(NAME) MESOS__V1__MASTER__RESPONSE__TYPE__##NAME

// ---- parts of the state ----

static struct master_answer write_state(const struct api_request *request,
                                        Mesos__V1__Master__Response__Type type, const char *field,
                                        void (*write)(struct response_writer *writer,
                                                      const struct master *master))
{
    struct response_writer writer;
    api_answer_open(request, &writer, type, field);
    write(&writer, request->master);
    return api_answer_close(&writer);
}

static struct master_answer get_state(const struct api_request *request)
{
    return write_state(request, RESPONSE(GET_STATE), "get_state", api_state);
}

static struct master_answer get_agents(const struct api_request *request)
{
    return write_state(request, RESPONSE(GET_AGENTS), "get_agents", api_state_agents);
}

static struct master_answer get_frameworks(const struct api_request *request)
{
    return write_state(request, RESPONSE(GET_FRAMEWORKS), "get_frameworks", api_state_frameworks);
}

static struct master_answer get_executors(const struct api_request *request)
{
    return write_state(request, RESPONSE(GET_EXECUTORS), "get_executors", api_state_executors);
}

static struct master_answer get_tasks(const struct api_request *request)
{
    return write_state(request, RESPONSE(GET_TASKS), "get_tasks", api_state_tasks);
}

// ---- the table ----

struct api_row {
    api_handler handle;
    const char *field; // that the call must have; NULL: none
    size_t member;     // where it is
};

static const struct api_row rows[] = {
#define ROW(TYPE, function) [MESOS__V1__MASTER__CALL__TYPE__##TYPE] = {function, NULL, 0}
#define FIELD(TYPE, function, name)                                                                \
    [MESOS__V1__MASTER__CALL__TYPE__##TYPE] = {function, #name, offsetof(Call, name)}
    ROW(GET_HEALTH, master_api_get_health),
    ROW(GET_FLAGS, master_api_get_flags),
    ROW(GET_VERSION, master_api_get_version),
    FIELD(GET_METRICS, master_api_get_metrics, get_metrics),
    ROW(GET_LOGGING_LEVEL, master_api_get_logging_level),
    FIELD(SET_LOGGING_LEVEL, master_api_set_logging_level, set_logging_level),
    FIELD(LIST_FILES, master_api_list_files, list_files),
    FIELD(READ_FILE, master_api_read_file, read_file),
    ROW(GET_STATE, get_state),
    ROW(GET_AGENTS, get_agents),
    ROW(GET_FRAMEWORKS, get_frameworks),
    ROW(GET_EXECUTORS, get_executors),
    ROW(GET_OPERATIONS, master_api_get_operations),
    ROW(GET_TASKS, get_tasks),
    ROW(GET_ROLES, master_api_get_roles),
    ROW(GET_WEIGHTS, master_api_get_weights),
    FIELD(UPDATE_WEIGHTS, master_api_update_weights, update_weights),
    ROW(GET_MASTER, master_api_get_master),
    FIELD(RESERVE_RESOURCES, master_api_reserve, reserve_resources),
    FIELD(UNRESERVE_RESOURCES, master_api_unreserve, unreserve_resources),
    FIELD(CREATE_VOLUMES, master_api_create_volumes, create_volumes),
    FIELD(DESTROY_VOLUMES, master_api_destroy_volumes, destroy_volumes),
    FIELD(GROW_VOLUME, master_api_grow_volume, grow_volume),
    FIELD(SHRINK_VOLUME, master_api_shrink_volume, shrink_volume),
    ROW(GET_MAINTENANCE_STATUS, master_api_get_maintenance_status),
    ROW(GET_MAINTENANCE_SCHEDULE, master_api_get_maintenance_schedule),
    FIELD(UPDATE_MAINTENANCE_SCHEDULE, master_api_update_maintenance_schedule,
          update_maintenance_schedule),
    FIELD(START_MAINTENANCE, master_api_start_maintenance, start_maintenance),
    FIELD(STOP_MAINTENANCE, master_api_stop_maintenance, stop_maintenance),
    FIELD(DRAIN_AGENT, master_api_drain_agent, drain_agent),
    FIELD(DEACTIVATE_AGENT, master_api_deactivate_agent, deactivate_agent),
    FIELD(REACTIVATE_AGENT, master_api_reactivate_agent, reactivate_agent),
    ROW(GET_QUOTA, master_api_get_quota),
    FIELD(UPDATE_QUOTA, master_api_update_quota, update_quota),
    FIELD(SET_QUOTA, master_api_set_quota, set_quota),
    FIELD(REMOVE_QUOTA, master_api_remove_quota, remove_quota),
    FIELD(TEARDOWN, master_api_teardown, teardown),
    FIELD(MARK_AGENT_GONE, master_api_mark_agent_gone, mark_agent_gone),
#undef ROW
#undef FIELD
};

static const struct api_row *row_of(const Call *call)
{
    size_t type = (size_t)call->type;
    return type < sizeof rows / sizeof rows[0] && rows[type].handle != NULL ? &rows[type] : NULL;
}

static bool has_agent_id(const Mesos__V1__AgentID *id, struct error *err)
{
    return id != NULL ||
           error_set(err, ERROR_INVALID,
                     "Expecting 'agent_id' to be present; only agent default resources are "
                     "supported right now");
}

bool master_api_validate(const Call *call, struct error *err)
{
    const struct api_row *row = row_of(call);
    void *member = NULL;
    if (!call->has_type)
        return error_set(err, ERROR_INVALID, "Expecting 'type' to be present");
    if (row == NULL || row->field == NULL)
        return true;
    memcpy(&member, (const char *)call + row->member, sizeof member);
    if (member == NULL)
        return error_set(err, ERROR_INVALID, "Expecting '%s' to be present", row->field);
    if (call->type == MESOS__V1__MASTER__CALL__TYPE__GROW_VOLUME)
        return has_agent_id(call->grow_volume->agent_id, err);
    return call->type != MESOS__V1__MASTER__CALL__TYPE__SHRINK_VOLUME ||
           has_agent_id(call->shrink_volume->agent_id, err);
}

struct master_answer master_api_call(const struct api_request *request)
{
    const struct api_row *row = row_of(request->call);
    if (row == NULL)
        return api_answer_refuse(501, "Calls of this type are not implemented");
    return row->handle(request);
}
