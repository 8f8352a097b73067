// SPDX-License-Identifier: Apache-2.0
//
// An agent's calls; see the header. The fields of a response have the names of the master's.

#include "operator/agent_api.h"

#include "base/log.h"
#include "operator/agent_api_state.h"
#include "operator/build_facts.h"
#include "operator/file_messages.h"
#include "operator/metrics_snapshot.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Agent__Call Call;

#define CALL(NAME) MESOS__V1__AGENT__CALL__TYPE__##NAME
#define RESPONSE(NAME) MESOS__V1__AGENT__RESPONSE__TYPE__##NAME

typedef struct master_answer (*agent_handler)(const struct agent_api_request *request,
                                              struct response_writer *writer);

// ---- facts ----

static struct master_answer good(void)
{
    return (struct master_answer){.status = 200};
}

static struct master_answer get_health(const struct agent_api_request *request,
                                       struct response_writer *writer)
{
    (void)request;
    response_writer_truth(writer, "healthy", true);
    return good();
}

static struct master_answer get_version(const struct agent_api_request *request,
                                        struct response_writer *writer)
{
    Mesos__V1__VersionInfo info = MESOS__V1__VERSION_INFO__INIT;
    struct build_facts facts;
    (void)request;
    build_facts(&facts);
    info.version = MASTER_VERSION;
    info.build_date = facts.date;
    info.has_build_time = true;
    info.build_time = facts.time;
    info.build_user = BUILD_FACTS_USER;
    response_writer_message(writer, "version_info", &info.base);
    return good();
}

static struct master_answer get_flags(const struct agent_api_request *request,
                                      struct response_writer *writer)
{
    struct build_flag flags[BUILD_FLAGS_MOST];
    size_t count = build_facts_agent_flags(flags, request->node);
    response_writer_list(writer, "flags");
    for (size_t i = 0; i < count; i++) {
        Mesos__V1__Flag flag = MESOS__V1__FLAG__INIT;
        flag.name = (char *)(uintptr_t)flags[i].name;
        flag.value = flags[i].value;
        response_writer_item(writer, &flag.base);
        free(flags[i].value);
    }
    response_writer_end(writer);
    return good();
}

static struct master_answer get_agent(const struct agent_api_request *request,
                                      struct response_writer *writer)
{
    struct api_agent agent = {.pid = NULL};
    api_messages_agent_info(&agent, request->node);
    response_writer_message(writer, "agent_info", &agent.info.base);
    return good();
}

// ---- the log, which the agents share with the master ----

static struct master_answer get_logging_level(const struct agent_api_request *request,
                                              struct response_writer *writer)
{
    response_writer_number(writer, "level", verbosity_level(&request->node->master->verbosity));
    return good();
}

static struct master_answer set_logging_level(const struct agent_api_request *request)
{
    const Mesos__V1__Agent__Call__SetLoggingLevel *call = request->call->set_logging_level;
    int64_t duration = call->duration->nanoseconds;
    verbosity_set(&request->node->master->verbosity, call->level,
                  duration > 0 ? (uint64_t)duration : 0);
    return good();
}

// ---- files ----

static struct master_answer list_files(const struct agent_api_request *request,
                                       struct response_writer *writer)
{
    const struct sandbox_question question = {request->node->master, request->node->number,
                                              request->call->list_files->path};
    return file_messages_list(&question, writer);
}

static struct master_answer read_file(const struct agent_api_request *request,
                                      struct response_writer *writer)
{
    const Mesos__V1__Agent__Call__ReadFile *call = request->call->read_file;
    const struct sandbox_question question = {request->node->master, request->node->number,
                                              call->path};
    return file_messages_read(&question, call->offset, call->has_length ? call->length : UINT64_MAX,
                              writer);
}

// ---- the table ----

struct agent_row {
    Mesos__V1__Agent__Call__Type call;
    Mesos__V1__Agent__Response__Type response;
    const char *field; // of the response
    agent_handler handle;
    void (*write)(struct response_writer *writer, const struct node *node); // or this
};

static const struct agent_row rows[] = {
    {CALL(GET_HEALTH), RESPONSE(GET_HEALTH), "get_health", get_health, NULL},
    {CALL(GET_FLAGS), RESPONSE(GET_FLAGS), "get_flags", get_flags, NULL},
    {CALL(GET_VERSION), RESPONSE(GET_VERSION), "get_version", get_version, NULL},
    {CALL(GET_AGENT), RESPONSE(GET_AGENT), "get_agent", get_agent, NULL},
    {CALL(GET_LOGGING_LEVEL), RESPONSE(GET_LOGGING_LEVEL), "get_logging_level", get_logging_level,
     NULL},
    {CALL(LIST_FILES), RESPONSE(LIST_FILES), "list_files", list_files, NULL},
    {CALL(READ_FILE), RESPONSE(READ_FILE), "read_file", read_file, NULL},
    {CALL(GET_STATE), RESPONSE(GET_STATE), "get_state", NULL, agent_api_state},
    {CALL(GET_CONTAINERS), RESPONSE(GET_CONTAINERS), "get_containers", NULL,
     agent_api_state_containers},
    {CALL(GET_FRAMEWORKS), RESPONSE(GET_FRAMEWORKS), "get_frameworks", NULL,
     agent_api_state_frameworks},
    {CALL(GET_EXECUTORS), RESPONSE(GET_EXECUTORS), "get_executors", NULL,
     agent_api_state_executors},
    {CALL(GET_TASKS), RESPONSE(GET_TASKS), "get_tasks", NULL, agent_api_state_tasks},
};

static const struct agent_row *row_of(const Call *call)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].call == call->type)
            return &rows[i];
    return NULL;
}

static bool expect(bool there, const char *field, struct error *err)
{
    return there || error_set(err, ERROR_INVALID, "Expecting '%s' to be present", field);
}

bool agent_api_validate(const Call *call, struct error *err)
{
    if (!call->has_type)
        return expect(false, "type", err);
    if (call->type == CALL(SET_LOGGING_LEVEL))
        return expect(call->set_logging_level != NULL, "set_logging_level", err);
    if (call->type == CALL(LIST_FILES))
        return expect(call->list_files != NULL, "list_files", err);
    return call->type != CALL(READ_FILE) || expect(call->read_file != NULL, "read_file", err);
}

static struct master_answer refuse(const Call *call)
{
    struct master_answer answer = {.status = 501};
    const ProtobufCEnumValue *type = protobuf_c_enum_descriptor_get_value(
        &mesos__v1__agent__call__type__descriptor, (int)call->type);
    error_set(
        &answer.error, ERROR_INVALID,
        "The agents of the local cluster do not carry out %s: they answer the calls that read "
        "their state, their files and their containers, and SET_LOGGING_LEVEL",
        type ? type->name : "calls of this type");
    return answer;
}

struct master_answer agent_api_call(const struct agent_api_request *request)
{
    const struct agent_row *row = row_of(request->call);
    struct response_writer writer;
    struct master_answer answer = {.status = 200};
    if (request->call->type == CALL(SET_LOGGING_LEVEL))
        return set_logging_level(request);
    if (row == NULL)
        return refuse(request->call);
    response_writer_begin(&writer, request->out, request->protobuf,
                          &mesos__v1__agent__response__descriptor);
    response_writer_enum(&writer, "type", (int)row->response);
    response_writer_open(&writer, row->field);
    if (row->write != NULL)
        row->write(&writer, request->node);
    else
        answer = row->handle(request, &writer);
    response_writer_close(&writer);
    if (response_writer_finish(&writer))
        return answer;
    answer.status = 503;
    error_set(&answer.error, ERROR_LIMIT, "The response is longer than 256 MiB");
    return answer;
}
