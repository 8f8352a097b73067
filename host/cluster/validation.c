// SPDX-License-Identifier: Apache-2.0
//
// What can be wrong with calls, frameworks, offers and tasks, each in the words of a real master,
// which clients match on.

#include "cluster/books.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <ctype.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_LIMIT ((size_t)1 << 20)

// Frameworks without MULTI_ROLE still use the field `role`.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

typedef Mesos__V1__Scheduler__Call Call;
typedef Mesos__V1__FrameworkInfo FrameworkInfo;

// ---- calls ----

// Which part of a call its type needs.
static const struct need {
    const char *name; // NULL: none
    size_t offset;
} needs[] = {
#define NEED(TYPE, field)                                                                          \
    [MESOS__V1__SCHEDULER__CALL__TYPE__##TYPE] = {#field, offsetof(Call, field)}
    NEED(SUBSCRIBE, subscribe),
    NEED(ACCEPT, accept),
    NEED(DECLINE, decline),
    NEED(ACCEPT_INVERSE_OFFERS, accept_inverse_offers),
    NEED(DECLINE_INVERSE_OFFERS, decline_inverse_offers),
    NEED(KILL, kill),
    NEED(SHUTDOWN, shutdown),
    NEED(ACKNOWLEDGE, acknowledge),
    NEED(ACKNOWLEDGE_OPERATION_STATUS, acknowledge_operation_status),
    NEED(RECONCILE, reconcile),
    NEED(RECONCILE_OPERATIONS, reconcile_operations),
    NEED(MESSAGE, message),
    NEED(REQUEST, request),
    NEED(UPDATE_FRAMEWORK, update_framework),
#undef NEED
};

static bool expect(bool present, const char *name, struct error *err)
{
    return present || error_set(err, ERROR_INVALID, "Expecting '%s' to be present", name);
}

static const char *id_text(const Mesos__V1__FrameworkID *id)
{
    return id ? id->value : "";
}

static bool same_framework(const Call *call, const FrameworkInfo *info, const char *path,
                           struct error *err)
{
    return strcmp(id_text(call->framework_id), id_text(info->id)) == 0 ||
           error_set(err, ERROR_INVALID, "'framework_id' differs from '%s.framework_info.id'",
                     path);
}

static bool check_uuid(const ProtobufCBinaryData *uuid, struct error *err)
{
    return uuid_valid(uuid->data, uuid->len) || error_set(err, ERROR_INVALID, "Not a valid UUID");
}

static bool check_contents(const Call *call, struct error *err)
{
    switch (call->type) {
    case MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE:
        return same_framework(call, call->subscribe->framework_info, "subscribe", err);
    case MESOS__V1__SCHEDULER__CALL__TYPE__UPDATE_FRAMEWORK:
        return same_framework(call, call->update_framework->framework_info, "update_framework",
                              err);
    case MESOS__V1__SCHEDULER__CALL__TYPE__ACKNOWLEDGE:
        return check_uuid(&call->acknowledge->uuid, err);
    case MESOS__V1__SCHEDULER__CALL__TYPE__ACKNOWLEDGE_OPERATION_STATUS:
        return check_uuid(&call->acknowledge_operation_status->uuid, err) &&
               expect(call->acknowledge_operation_status->agent_id != NULL, "agent_id", err);
    default:
        return true;
    }
}

static bool check_call(const Call *call, struct error *err)
{
    bool known = call->has_type &&
                 protobuf_c_enum_descriptor_get_value(&mesos__v1__scheduler__call__type__descriptor,
                                                      (int)call->type) != NULL;
    if (!expect(known, "type", err))
        return false;
    const struct need *need =
        (size_t)call->type < sizeof needs / sizeof needs[0] ? &needs[call->type] : NULL;
    bool subscribe = call->type == MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE;
    if (!expect(subscribe || call->framework_id != NULL, "framework_id", err))
        return false;
    if (need != NULL && need->name != NULL &&
        !expect(*(void *const *)((const char *)call + need->offset) != NULL, need->name, err))
        return false;
    return check_contents(call, err);
}

bool master_validate(const Call *call, struct error *err)
{
    return check_call(call, err) || error_context(err, "Failed to validate scheduler::Call");
}

// ---- ids and roles ----

static bool printable(const char *text)
{
    for (; *text; text++)
        if (iscntrl((unsigned char)*text) || *text == '/' || *text == '\\')
            return false;
    return true;
}

static bool is_id(const char *id, struct error *err)
{
    if (*id == '\0')
        return error_set(err, ERROR_INVALID, "ID must not be empty");
    if (strlen(id) > 255)
        return error_set(err, ERROR_INVALID, "ID must not be greater than 255 characters");
    if (strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
        return error_set(err, ERROR_INVALID, "'%s' is disallowed", id);
    if (!printable(id))
        return error_set(err, ERROR_INVALID, "'%s' contains invalid characters", id);
    return true;
}

static bool check_component(const char *role, const char *part, size_t length, struct error *err)
{
    static const char *const forbidden[] = {".", "..", "*"};
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        if (strlen(forbidden[i]) == length && memcmp(forbidden[i], part, length) == 0)
            return error_set(err, ERROR_INVALID, "Role '%.300s' cannot include '%s' as a component",
                             role, forbidden[i]);
    if (*part == '-')
        return error_set(err, ERROR_INVALID,
                         "Role component '%.*s' is invalid because it starts with a dash",
                         (int)length, part);
    for (size_t i = 0; i < length; i++)
        if (strchr("\b\t\n\v\f\r ", part[i]) != NULL || part[i] == 0x7f)
            return error_set(err, ERROR_INVALID,
                             "Role component '%.*s' is invalid because it contains backspace or "
                             "whitespace",
                             (int)length, part);
    return true;
}

static bool is_role(const char *role, struct error *err)
{
    size_t length = strlen(role);
    if (length == 0)
        return error_set(err, ERROR_INVALID, "Role names cannot be the empty string");
    if (strcmp(role, "*") == 0)
        return true;
    const char *fault = role[0] == '/'            ? "cannot start with a slash"
                        : role[length - 1] == '/' ? "cannot end with a slash"
                        : strstr(role, "//")      ? "cannot contain two adjacent slashes"
                                                  : NULL;
    if (fault != NULL)
        return error_set(err, ERROR_INVALID, "Role '%.300s' %s", role, fault);
    for (const char *part = role; part != NULL;) {
        const char *slash = strchr(part, '/');
        if (!check_component(role, part, slash ? (size_t)(slash - part) : strlen(part), err))
            return false;
        part = slash ? slash + 1 : NULL;
    }
    return true;
}

// ---- frameworks ----

bool validation_has_capability(const FrameworkInfo *info,
                               Mesos__V1__FrameworkInfo__Capability__Type type)
{
    for (size_t i = 0; i < info->n_capabilities; i++)
        if (info->capabilities[i]->has_type && info->capabilities[i]->type == type)
            return true;
    return false;
}

static bool multi_role(const FrameworkInfo *info)
{
    return validation_has_capability(info, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE);
}

static bool contains(char **names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// "what { a, b }tail" with the names sorted.
static bool complain(struct error *err, const char *what, char **names, size_t count,
                     const char *tail)
{
    struct buffer text;
    buffer_init(&text, TEXT_LIMIT);
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
            buffer_format(&text, "%s%s", i ? ", " : "", names[i]);
    error_set(err, ERROR_INVALID, "%s { %s }%s", what, buffer_string(&text), tail);
    buffer_free(&text);
    return false;
}

static bool check_duplicates(const FrameworkInfo *info, struct error *err)
{
    char **twice = memory_new(info->n_roles * sizeof *twice);
    size_t count = 0;
    for (size_t i = 0; i < info->n_roles; i++)
        if (contains(info->roles, i, info->roles[i]))
            twice[count++] = info->roles[i];
    bool good = count == 0 ||
                complain(err, "'FrameworkInfo.roles' contains duplicate items:", twice, count, "");
    free(twice);
    return good;
}

static bool check_role_fields(const FrameworkInfo *info, struct error *err)
{
    bool has_role =
        info->role != NULL && info->role != mesos__v1__framework_info__role__default_value;
    if (!multi_role(info)) {
        if (info->n_roles > 0)
            return error_set(err, ERROR_INVALID,
                             "'FrameworkInfo.roles' must not be set when the framework is not "
                             "MULTI_ROLE capable");
        return !has_role || is_role(info->role, err) ||
               error_context(err, "'FrameworkInfo.role' is not a valid role");
    }
    if (has_role)
        return error_set(err, ERROR_INVALID,
                         "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE "
                         "capable");
    for (size_t i = 0; i < info->n_roles; i++)
        if (!is_role(info->roles[i], err))
            return error_context(err, "'FrameworkInfo.roles' contains invalid role");
    return check_duplicates(info, err);
}

// Mesos counts durations in nanoseconds of 64 bits; what does not fit is invalid.
static bool check_failover_timeout(const FrameworkInfo *info, struct error *err)
{
    return !(info->failover_timeout > 9223372036.0) ||
           error_set(err, ERROR_INVALID, "The framework failover_timeout (%g) is invalid",
                     info->failover_timeout);
}

bool validation_framework_info(const FrameworkInfo *info, struct error *err)
{
    const char *id = id_text(info->id);
    return check_role_fields(info, err) && (*id == '\0' || is_id(id, err)) &&
           check_failover_timeout(info, err);
}

static bool has_role(const FrameworkInfo *info, const char *role)
{
    return multi_role(info) ? contains(info->roles, info->n_roles, role)
                            : strcmp(info->role, role) == 0;
}

static bool check_suppressed(const FrameworkInfo *info, char **suppressed, size_t count,
                             struct error *err)
{
    char **foreign = memory_new(count * sizeof *foreign);
    size_t foreigners = 0;
    for (size_t i = 0; i < count; i++)
        if (!has_role(info, suppressed[i]))
            foreign[foreigners++] = suppressed[i];
    bool good = foreigners == 0 || complain(err, "Suppressed roles", foreign, foreigners,
                                            " are not contained in the set of roles");
    free(foreign);
    return good;
}

bool validation_roles(const FrameworkInfo *info, char **suppressed, size_t suppressed_count,
                      const Mesos__V1__Scheduler__OfferConstraints *constraints, struct error *err)
{
    if (!check_suppressed(info, suppressed, suppressed_count, err))
        return false;
    for (size_t i = 0; constraints != NULL && i < constraints->n_role_constraints; i++) {
        const char *role = constraints->role_constraints[i]->key;
        if (!has_role(info, role ? role : ""))
            return error_set(err, ERROR_INVALID,
                             "Offer constraints specify `role_constraints` for a role '%.300s'not "
                             "contained in the set of roles",
                             role);
    }
    return constraints == NULL || constraints_check(constraints, err) ||
           error_context(err, "Offer constraints are not valid");
}

// ---- offers ----

static bool named_before(Mesos__V1__OfferID **ids, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(ids[i]->value, id) == 0)
            return true;
    return false;
}

static char *check_offer(const struct framework *framework, const char *id)
{
    const struct offer *offer = books_offer(framework->master, id);
    if (offer == NULL)
        return memory_format("Offer %s is no longer valid", id);
    if (offer->framework != framework)
        return memory_format("Offer %s has invalid framework %s while framework %s is expected", id,
                             offer->framework->id, framework->id);
    return NULL;
}

static char *check_together(const struct offer *first, const struct offer *offer)
{
    if (strcmp(offer->role, first->role) != 0)
        return memory_format("Aggregated offers must be allocated to the same role. Offer %s uses "
                             "role '%s but another is using role '%s",
                             offer->id, offer->role, first->role);
    if (offer->node != first->node)
        return memory_format("Aggregated offers must belong to one single agent. Offer %s uses "
                             "agent %s and agent %s",
                             offer->id, offer->node->id, first->node->id);
    return NULL;
}

char *validation_offers(const struct framework *framework, Mesos__V1__OfferID **ids, size_t count)
{
    if (count == 0)
        return memory_string("No offers specified");
    char *fault = NULL;
    for (size_t i = 0; i < count && fault == NULL; i++)
        if (named_before(ids, i, ids[i]->value))
            fault = memory_format("Duplicate offer %s in offer list", ids[i]->value);
    for (size_t i = 0; i < count && fault == NULL; i++)
        fault = check_offer(framework, ids[i]->value);
    const struct offer *first =
        fault == NULL ? books_offer(framework->master, ids[0]->value) : NULL;
    for (size_t i = 1; i < count && fault == NULL; i++)
        fault = check_together(first, books_offer(framework->master, ids[i]->value));
    return fault;
}

// ---- tasks ----

typedef char *(*task_check)(const struct framework *framework, const struct node *node,
                            const Mesos__V1__TaskInfo *task);

static char *check_id(const struct framework *framework, const struct node *node,
                      const Mesos__V1__TaskInfo *task)
{
    (void)framework;
    (void)node;
    struct error err;
    return is_id(task->task_id->value, &err) ? NULL : memory_string(err.text);
}

static char *check_unique(const struct framework *framework, const struct node *node,
                          const Mesos__V1__TaskInfo *task)
{
    (void)node;
    return books_task(framework, task->task_id->value)
               ? memory_format("Task has duplicate ID: %s", task->task_id->value)
               : NULL;
}

static char *check_agent(const struct framework *framework, const struct node *node,
                         const Mesos__V1__TaskInfo *task)
{
    (void)framework;
    return strcmp(task->agent_id->value, node->id) == 0
               ? NULL
               : memory_format("Task uses invalid agent %s while agent %s is expected",
                               task->agent_id->value, node->id);
}

static char *check_times(const struct framework *framework, const struct node *node,
                         const Mesos__V1__TaskInfo *task)
{
    (void)framework;
    (void)node;
    const Mesos__V1__DurationInfo *grace =
        task->kill_policy ? task->kill_policy->grace_period : NULL;
    if (grace != NULL && grace->nanoseconds < 0)
        return memory_string("Task's 'kill_policy.grace_period' must be non-negative");
    if (task->max_completion_time != NULL && task->max_completion_time->nanoseconds < 0)
        return memory_string("Task's 'max_completion_time' must be non-negative");
    return NULL;
}

static char *check_checks(const struct framework *framework, const struct node *node,
                          const Mesos__V1__TaskInfo *task)
{
    (void)framework;
    (void)node;
    if (task->check != NULL && !task->check->has_type)
        return memory_string("Task uses invalid check: CheckInfo must specify 'type'");
    if (task->health_check != NULL && !task->health_check->has_type)
        return memory_string("Task uses invalid health check: HealthCheck must specify 'type'");
    return NULL;
}

static char *check_parts(const struct framework *framework, const struct node *node,
                         const Mesos__V1__TaskInfo *task)
{
    (void)framework;
    (void)node;
    if (task->n_resources == 0)
        return memory_string("Task uses no resources");
    if ((task->command != NULL) == (task->executor != NULL))
        return memory_string("Task should have at least one (but not both) of CommandInfo or "
                             "ExecutorInfo present");
    return NULL;
}

static bool has_secret(const Mesos__V1__Environment *environment)
{
    for (size_t i = 0; environment != NULL && i < environment->n_variables; i++)
        if (environment->variables[i]->secret != NULL)
            return true;
    return false;
}

// What the local cluster cannot do it refuses, rather than run the task otherwise than asked.
static char *check_abilities(const struct framework *framework, const struct node *node,
                             const Mesos__V1__TaskInfo *task)
{
    (void)framework;
    (void)node;
    const Mesos__V1__ContainerInfo *container = task->container;
    const char *fault = NULL;
    if (task->executor != NULL)
        fault = "this task has an executor";
    else if (container != NULL && container->type == MESOS__V1__CONTAINER_INFO__TYPE__DOCKER)
        fault = "this task has a Docker container";
    else if (container != NULL && container->mesos != NULL && container->mesos->image != NULL)
        fault = "this task has a container image";
    else if (container != NULL && container->n_volumes > 0)
        fault = "this task has volumes";
    else if (has_secret(task->command->environment))
        fault = "the environment of this task has a secret";
    return fault ? memory_format("The local cluster runs command tasks only: %s", fault) : NULL;
}

static char *check_limit(const struct framework *framework, const struct node *node,
                         const Mesos__V1__TaskInfo *task)
{
    (void)node;
    (void)task;
    return framework->task_table.count < MASTER_TASKS
               ? NULL
               : memory_string("The framework has too many tasks that are not acknowledged");
}

char *validation_task(const struct framework *framework, const struct node *node,
                      const Mesos__V1__TaskInfo *task)
{
    static const task_check checks[] = {check_id,     check_unique, check_agent,     check_times,
                                        check_checks, check_parts,  check_abilities, check_limit};
    char *fault = NULL;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && fault == NULL; i++)
        fault = checks[i](framework, node, task);
    return fault;
}
