// SPDX-License-Identifier: Apache-2.0
//
// Calls of the v1 operator API that read; see master_api.h.

#include "operator/master_api_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/uuid.h"
#include "master/master_info.h"
#include "operator/build_facts.h"
#include "operator/file_messages.h"
#include "operator/metrics_snapshot.h"
#include "operator/role_settings.h"
#include "operator/roles_document.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Master__Response Response;

#define RESPONSE(NAME) MESOS__V1__MASTER__RESPONSE__TYPE__##NAME

// ---- facts ----

struct master_answer master_api_get_health(const struct api_request *request)
{
    Mesos__V1__Master__Response__GetHealth health = MESOS__V1__MASTER__RESPONSE__GET_HEALTH__INIT;
    Response response = MESOS__V1__MASTER__RESPONSE__INIT;
    health.healthy = true;
    response.has_type = true;
    response.type = RESPONSE(GET_HEALTH);
    response.get_health = &health;
    return api_answer_respond(request, &response);
}

struct master_answer master_api_get_flags(const struct api_request *request)
{
    struct build_flag flags[BUILD_FLAGS_MOST];
    struct response_writer writer;
    size_t count = build_facts_master_flags(flags, request->master);
    api_answer_open(request, &writer, RESPONSE(GET_FLAGS), "get_flags");
    response_writer_list(&writer, "flags");
    for (size_t i = 0; i < count; i++) {
        Mesos__V1__Flag flag = MESOS__V1__FLAG__INIT;
        flag.name = (char *)(uintptr_t)flags[i].name;
        flag.value = flags[i].value;
        response_writer_item(&writer, &flag.base);
        free(flags[i].value);
    }
    response_writer_end(&writer);
    return api_answer_close(&writer);
}

struct master_answer master_api_get_version(const struct api_request *request)
{
    Mesos__V1__VersionInfo info = MESOS__V1__VERSION_INFO__INIT;
    Mesos__V1__Master__Response__GetVersion version =
        MESOS__V1__MASTER__RESPONSE__GET_VERSION__INIT;
    Response response = MESOS__V1__MASTER__RESPONSE__INIT;
    struct build_facts facts;
    build_facts(&facts);
    info.version = MASTER_VERSION;
    info.build_date = facts.date;
    info.has_build_time = true;
    info.build_time = facts.time;
    info.build_user = BUILD_FACTS_USER;
    version.version_info = &info;
    response.has_type = true;
    response.type = RESPONSE(GET_VERSION);
    response.get_version = &version;
    return api_answer_respond(request, &response);
}

struct master_answer master_api_get_metrics(const struct api_request *request)
{
    struct metrics_snapshot snapshot;
    struct response_writer writer;
    metrics_snapshot_take(&snapshot, request->master);
    api_answer_open(request, &writer, RESPONSE(GET_METRICS), "get_metrics");
    response_writer_list(&writer, "metrics");
    for (size_t i = 0; i < snapshot.count; i++) {
        Mesos__V1__Metric metric = MESOS__V1__METRIC__INIT;
        metric.name = snapshot.items[i].name;
        metric.has_value = true;
        metric.value = snapshot.items[i].value;
        response_writer_item(&writer, &metric.base);
    }
    response_writer_end(&writer);
    metrics_snapshot_free(&snapshot);
    return api_answer_close(&writer);
}

struct master_answer master_api_get_logging_level(const struct api_request *request)
{
    Mesos__V1__Master__Response__GetLoggingLevel level =
        MESOS__V1__MASTER__RESPONSE__GET_LOGGING_LEVEL__INIT;
    Response response = MESOS__V1__MASTER__RESPONSE__INIT;
    level.level = verbosity_level(&request->master->verbosity);
    response.has_type = true;
    response.type = RESPONSE(GET_LOGGING_LEVEL);
    response.get_logging_level = &level;
    return api_answer_respond(request, &response);
}

struct master_answer master_api_get_master(const struct api_request *request)
{
    struct master_info info;
    Mesos__V1__Master__Response__GetMaster message = MESOS__V1__MASTER__RESPONSE__GET_MASTER__INIT;
    Response response = MESOS__V1__MASTER__RESPONSE__INIT;
    master_info_fill(&info, request->master);
    message.master_info = &info.message;
    message.has_start_time = message.has_elected_time = true;
    message.start_time = message.elected_time = request->master->started;
    response.has_type = true;
    response.type = RESPONSE(GET_MASTER);
    response.get_master = &message;
    struct master_answer answer = api_answer_respond(request, &response);
    master_info_free(&info);
    return answer;
}

// ---- files ----

struct master_answer master_api_list_files(const struct api_request *request)
{
    const struct sandbox_question question = {request->master, 0, request->call->list_files->path};
    struct response_writer writer;
    api_answer_open(request, &writer, RESPONSE(LIST_FILES), "list_files");
    struct master_answer answer = file_messages_list(&question, &writer);
    struct master_answer end = api_answer_close(&writer);
    return answer.status == 200 ? end : answer;
}

struct master_answer master_api_read_file(const struct api_request *request)
{
    const Mesos__V1__Master__Call__ReadFile *call = request->call->read_file;
    const struct sandbox_question question = {request->master, 0, call->path};
    uint64_t length = call->has_length ? call->length : UINT64_MAX;
    struct response_writer writer;
    api_answer_open(request, &writer, RESPONSE(READ_FILE), "read_file");
    struct master_answer answer = file_messages_read(&question, call->offset, length, &writer);
    struct master_answer end = api_answer_close(&writer);
    return answer.status == 200 ? end : answer;
}

// ---- roles ----

static size_t count_members(const struct role_node *role)
{
    const struct role_member *member;
    size_t count = 0;
    TAILQ_FOREACH(member, &role->members, of_role)
    count++;
    return count;
}

// What is used or offered of the usual scalars.
static void add_scalars(Mesos__V1__Role *message, Mesos__V1__Resource *resources,
                        Mesos__V1__Value__Scalar *scalars, const struct role_sums *sums)
{
    static char *const names[] = {"cpus", "disk", "gpus", "mem"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        double amount = resources_scalar(&sums->allocated, names[i]) +
                        resources_scalar(&sums->offered, names[i]);
        Mesos__V1__Resource *resource = &resources[message->n_resources];
        mesos__v1__resource__init(resource);
        mesos__v1__value__scalar__init(&scalars[i]);
        scalars[i].value = amount;
        resource->name = names[i];
        resource->type = MESOS__V1__VALUE__TYPE__SCALAR;
        resource->scalar = &scalars[i];
        if (amount > 0)
            message->resources[message->n_resources++] = resource;
    }
}

static void write_role(struct response_writer *writer, const struct role_sums *sums)
{
    enum { SCALARS = 4 };
    const struct role_member *member;
    Mesos__V1__Role message = MESOS__V1__ROLE__INIT;
    Mesos__V1__Resource resources[SCALARS], *resource_list[SCALARS];
    Mesos__V1__Value__Scalar scalars[SCALARS];
    message.frameworks = memory_new((count_members(sums->role) + 1) * sizeof *message.frameworks);
    message.resources = resource_list;
    message.name = (char *)(uintptr_t)sums->role->name;
    message.weight = sums->role->claim.weight;
    add_scalars(&message, resources, scalars, sums);
    TAILQ_FOREACH(member, &sums->role->members, of_role)
    message.frameworks[message.n_frameworks++] = member->framework->info->id;
    response_writer_item(writer, &message.base);
    free(message.frameworks);
}

struct master_answer master_api_get_roles(const struct api_request *request)
{
    struct role_table roles;
    struct response_writer writer;
    roles_document_sum(&roles, request->master);
    api_answer_open(request, &writer, RESPONSE(GET_ROLES), "get_roles");
    response_writer_list(&writer, "roles");
    for (size_t i = 0; i < roles.count; i++)
        write_role(&writer, &roles.items[i]);
    response_writer_end(&writer);
    roles_document_free(&roles);
    return api_answer_close(&writer);
}

struct master_answer master_api_get_weights(const struct api_request *request)
{
    const struct role_node *role;
    struct response_writer writer;
    api_answer_open(request, &writer, RESPONSE(GET_WEIGHTS), "get_weights");
    response_writer_list(&writer, "weight_infos");
    TAILQ_FOREACH(role, &request->master->roles.roles, link)
    {
        Mesos__V1__WeightInfo info = MESOS__V1__WEIGHT_INFO__INIT;
        info.role = role->name;
        info.weight = role->claim.weight;
        if (role->weighted)
            response_writer_item(&writer, &info.base);
    }
    response_writer_end(&writer);
    return api_answer_close(&writer);
}

struct master_answer master_api_get_quota(const struct api_request *request)
{
    Mesos__V1__Master__Response__GetQuota quota = MESOS__V1__MASTER__RESPONSE__GET_QUOTA__INIT;
    Response response = MESOS__V1__MASTER__RESPONSE__INIT;
    quota.status = role_settings_quota(request->master);
    response.has_type = true;
    response.type = RESPONSE(GET_QUOTA);
    response.get_quota = &quota;
    struct master_answer answer = api_answer_respond(request, &response);
    role_settings_free_quota(quota.status);
    return answer;
}

// ---- operations ----

static void write_operation(struct response_writer *writer,
                            const struct master_operation *operation)
{
    static uint8_t none[UUID_LENGTH];
    Mesos__V1__Operation message = MESOS__V1__OPERATION__INIT;
    Mesos__V1__OperationStatus pending = MESOS__V1__OPERATION_STATUS__INIT;
    Mesos__V1__OperationID id = MESOS__V1__OPERATION_ID__INIT;
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
    Mesos__V1__UUID uuid = MESOS__V1__UUID__INIT;
    id.value = operation->id;
    agent_id.value = operation->node->id;
    uuid.value = (ProtobufCBinaryData){.len = sizeof none, .data = none};
    pending.operation_id = &id;
    pending.state = operation->state;
    message.framework_id = operation->framework->info->id;
    message.agent_id = &agent_id;
    message.info = operation->info;
    message.latest_status = operation->status ? operation->status : &pending;
    message.n_statuses = operation->status != NULL;
    message.statuses = (Mesos__V1__OperationStatus **)(uintptr_t)&operation->status;
    message.uuid = operation->status && operation->status->uuid ? operation->status->uuid : &uuid;
    response_writer_item(writer, &message.base);
}

struct master_answer master_api_get_operations(const struct api_request *request)
{
    const struct master_framework *framework;
    const struct master_operation *operation;
    struct response_writer writer;
    api_answer_open(request, &writer, RESPONSE(GET_OPERATIONS), "get_operations");
    response_writer_list(&writer, "operations");
    TAILQ_FOREACH(framework, &request->master->frameworks, link)
    TAILQ_FOREACH(operation, &framework->operations, link)
    write_operation(&writer, operation);
    response_writer_end(&writer);
    return api_answer_close(&writer);
}
