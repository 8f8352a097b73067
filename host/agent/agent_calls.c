// SPDX-License-Identifier: Apache-2.0
//
// Calls of executors; see the header.

#include "agent/agent_calls.h"

#include "agent/agent_records.h"
#include "agent/custom_calls.h"
#include "agent/custom_executor.h"
#include "base/uuid.h"

#include <string.h>

typedef Mesos__V1__Executor__Call Call;

// ---- validation ----

static bool expect(bool present, const char *name, struct error *err)
{
    return present || error_set(err, ERROR_INVALID, "Expecting '%s' to be present", name);
}

static bool check_source(const Call *call, struct error *err)
{
    const Mesos__V1__TaskStatus *status = call->update->status;
    const char *id = call->executor_id->value, *framework = call->framework_id->value;
    if (status->executor_id != NULL && strcmp(status->executor_id->value, id) != 0)
        return error_set(
            err, ERROR_INVALID,
            "ExecutorID in Call: %.200s does not match ExecutorID in TaskStatus: %.200s", id,
            status->executor_id->value);
    if (status->source != MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR || !status->has_source)
        return error_set(err, ERROR_INVALID,
                         "Received Call from executor %.200s of framework %.200s with invalid "
                         "source, expecting 'SOURCE_EXECUTOR'",
                         id, framework);
    return status->state != MESOS__V1__TASK_STATE__TASK_STAGING ||
           error_set(err, ERROR_INVALID,
                     "Received TASK_STAGING from executor %.200s of framework %.200s which is not "
                     "allowed",
                     id, framework);
}

static bool check_of_type(const Mesos__V1__CheckStatusInfo *check, struct error *err)
{
    const struct {
        Mesos__V1__CheckInfo__Type type;
        bool present;
        const char *field, *name;
    } rows[] = {
        {MESOS__V1__CHECK_INFO__TYPE__COMMAND, check->command != NULL, "command", "COMMAND"},
        {MESOS__V1__CHECK_INFO__TYPE__HTTP, check->http != NULL, "http", "HTTP"},
        {MESOS__V1__CHECK_INFO__TYPE__TCP, check->tcp != NULL, "tcp", "TCP"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (check->type == rows[i].type)
            return rows[i].present ||
                   error_set(err, ERROR_INVALID, "Expecting '%s' to be set for %s check's status",
                             rows[i].field, rows[i].name);
    return error_set(err, ERROR_INVALID, "'UNKNOWN' is not a valid check's status type");
}

// Of an update. protobuf-c hands unknown numbers of a state on.
static bool check_status(const Mesos__V1__TaskStatus *status, struct error *err)
{
    bool known = protobuf_c_enum_descriptor_get_value(&mesos__v1__task_state__descriptor,
                                                      (int)status->state) != NULL;
    if (!known)
        return error_set(err, ERROR_INVALID, "Expecting 'state' to be a state of tasks, got %d",
                         (int)status->state);
    if (!expect(status->has_uuid, "uuid", err))
        return false;
    return uuid_valid(status->uuid.data, status->uuid.len) ||
           error_set(err, ERROR_INVALID, "Not a valid UUID");
}

static bool check_subscribe(const Call *call, struct error *err)
{
    for (size_t i = 0; i < call->subscribe->n_unacknowledged_updates; i++)
        if (!check_status(call->subscribe->unacknowledged_updates[i]->status, err))
            return false;
    return true;
}

static bool check_update(const Call *call, struct error *err)
{
    const Mesos__V1__TaskStatus *status = call->update->status;
    if (!check_status(status, err))
        return false;
    if (!check_source(call, err))
        return false;
    const Mesos__V1__CheckStatusInfo *check = status->check_status;
    if (check != NULL && !check->has_type)
        return error_set(err, ERROR_INVALID, "CheckStatusInfo must specify 'type'");
    return check == NULL || check_of_type(check, err);
}

static bool check_contents(const Call *call, struct error *err)
{
    switch (call->type) {
    case MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE:
        return expect(call->subscribe != NULL, "subscribe", err) && check_subscribe(call, err);
    case MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE:
        return expect(call->update != NULL, "update", err) && check_update(call, err);
    case MESOS__V1__EXECUTOR__CALL__TYPE__MESSAGE:
        return expect(call->message != NULL, "message", err);
    default:
        return true;
    }
}

bool agent_calls_validate(const Call *call, struct error *err)
{
    bool known = call->has_type &&
                 protobuf_c_enum_descriptor_get_value(&mesos__v1__executor__call__type__descriptor,
                                                      (int)call->type) != NULL;
    return (expect(known, "type", err) && check_contents(call, err)) ||
           error_context(err, "Failed to validate Executor::Call");
}

// ---- finding ----

static bool runs(const struct agent_executor *executor)
{
    return executor->kind == &custom_executor_kind && executor->own != NULL &&
           executor->state != EXECUTOR_TERMINATED;
}

struct agent_executor *agent_calls_find(const struct agent *agent, const Call *call,
                                        bool *framework)
{
    struct agent_executor *executor =
        agent_records_executor(agent, call->framework_id->value, call->executor_id->value);
    if (executor == NULL || executor->kind->hidden)
        return NULL;
    *framework = true;
    return runs(executor) ? executor : NULL;
}

struct agent_executor *agent_calls_search(const struct agent *agent, const Call *call,
                                          bool *framework)
{
    struct agent_executor *executor;
    TAILQ_FOREACH(executor, &agent->executors, link)
    {
        if (executor->kind->hidden ||
            strcmp(executor->framework_id, call->framework_id->value) != 0)
            continue;
        *framework = true;
        if (strcmp(executor->id, call->executor_id->value) == 0 && runs(executor))
            return executor;
    }
    return NULL;
}

bool agent_calls_subscribed(const struct agent_executor *executor)
{
    return executor->state != EXECUTOR_STAGED && executor->state != EXECUTOR_REGISTERING;
}

bool agent_calls_token_is(const struct agent_executor *executor, const char *token)
{
    const char *own = custom_executor_token(executor);
    return own != NULL && strcmp(own, token) == 0;
}

bool agent_calls_knows_token(const struct agent *agent, const char *token)
{
    const struct agent_executor *executor;
    TAILQ_FOREACH(executor, &agent->executors, link)
    if (runs(executor) && agent_calls_token_is(executor, token))
        return true;
    return false;
}

// ---- carrying out ----

void agent_calls_subscribe(struct agent_executor *executor, const Call *call,
                           const struct agent_sink *sink, void *data)
{
    custom_calls_subscribe(executor, call->subscribe, sink, data);
}

void agent_calls_disconnected(struct agent_executor *executor)
{
    custom_calls_disconnected(executor);
}

void agent_calls_carry_out(struct agent_executor *executor, const Call *call)
{
    const struct agent *agent = executor->agent;
    if (call->type == MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE)
        custom_calls_update(executor, call->update->status);
    else if (!executor->silent)
        agent->events->message(agent->data, executor->framework_id, executor->id,
                               &call->message->data);
}
