// SPDX-License-Identifier: Apache-2.0
//
// Validation of calls, frameworks and offers. The error texts are those of a real master, since
// clients match on them.

#include "master/master_internal.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "offers/role_name.h"

#include <ctype.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_LIMIT ((size_t)1 << 20)
#define ROLES_LIMIT 1000 // of one framework

// Frameworks without MULTI_ROLE still use the field `role`.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

typedef Mesos__V1__Scheduler__Call Call;
typedef Mesos__V1__FrameworkInfo FrameworkInfo;

// ---- calls ----

// The member that a call of that type needs.
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

bool validation_call(const Call *call, struct error *err)
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

// ---- ids ----

static bool printable(const char *text)
{
    for (; *text; text++)
        if (iscntrl((unsigned char)*text) || *text == '/' || *text == '\\')
            return false;
    return true;
}

bool validation_id(const char *id, struct error *err)
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
        return !has_role || role_name_check(info->role, err) ||
               error_context(err, "'FrameworkInfo.role' is not a valid role");
    }
    if (has_role)
        return error_set(err, ERROR_INVALID,
                         "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE "
                         "capable");
    if (info->n_roles > ROLES_LIMIT)
        return error_set(err, ERROR_LIMIT,
                         "'FrameworkInfo.roles' has %zu roles; the local cluster takes up to %d",
                         info->n_roles, ROLES_LIMIT);
    if (!check_duplicates(info, err))
        return false;
    for (size_t i = 0; i < info->n_roles; i++)
        if (!role_name_check(info->roles[i], err))
            return error_context(err, "'FrameworkInfo.roles' contains invalid role");
    return true;
}

// ---- offer filters ----

static bool check_quantity(double value, struct error *err)
{
    int class = fpclassify(value);
    const char *fault = class == FP_INFINITE    ? "Infinite values not supported"
                        : class == FP_NAN       ? "NaN not supported"
                        : class == FP_SUBNORMAL ? "Subnormal values not supported"
                        : value < 0             ? "Negative values not supported"
                                                : NULL;
    return fault == NULL || error_set(err, ERROR_INVALID, "%s", fault);
}

static bool check_quantities(const Mesos__V1__OfferFilters__ResourceQuantities *list,
                             struct error *err)
{
    if (list->n_quantities == 0)
        return error_set(err, ERROR_INVALID,
                         "Resource quantities must contain at least one quantity");
    for (size_t i = 0; i < list->n_quantities; i++) {
        const Mesos__V1__Value__Scalar *value = list->quantities[i]->value;
        if (value != NULL && !check_quantity(value->value, err))
            return error_context(err, "Invalid resource quantity for '%.200s'",
                                 list->quantities[i]->key ? list->quantities[i]->key : "");
    }
    return true;
}

static bool check_offer_filters(const FrameworkInfo *info, struct error *err)
{
    for (size_t i = 0; i < info->n_offer_filters; i++) {
        const Mesos__V1__OfferFilters *filters = info->offer_filters[i]->value;
        const Mesos__V1__OfferFilters__MinAllocatableResources *least =
            filters ? filters->min_allocatable_resources : NULL;
        for (size_t j = 0; least != NULL && j < least->n_quantities; j++)
            if (!check_quantities(least->quantities[j], err))
                return false;
    }
    return true;
}

// Mesos stores durations as 64-bit nanoseconds; what does not fit is invalid.
static bool check_failover_timeout(const FrameworkInfo *info, struct error *err)
{
    return !(fabs(info->failover_timeout) > 9223372036.0) ||
           error_set(err, ERROR_INVALID, "The framework failover_timeout (%g) is invalid",
                     info->failover_timeout);
}

bool validation_framework_info(const FrameworkInfo *info, struct error *err)
{
    const char *id = id_text(info->id);
    return check_role_fields(info, err) && (*id == '\0' || validation_id(id, err)) &&
           check_offer_filters(info, err) && check_failover_timeout(info, err);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool validation_principal(const FrameworkInfo *old, const FrameworkInfo *new, struct error *err)
{
    return same_text(old->principal, new->principal) ||
           error_set(err, ERROR_REFUSED, "Changing framework's principal is not allowed.");
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

// The offers of an ACCEPT. A check can rely on the checks before it having passed.
struct offer_list {
    const struct master_framework *framework;
    Mesos__V1__OfferID **ids;
    struct master_offer **offers; // NULL: there is no such offer
};

static char *check_unique(const struct offer_list *list, size_t i)
{
    const char *id = list->ids[i]->value;
    return named_before(list->ids, i, id) ? memory_format("Duplicate offer %s in offer list", id)
                                          : NULL;
}

static char *check_exists(const struct offer_list *list, size_t i)
{
    return list->offers[i] ? NULL
                           : memory_format("Offer %s is no longer valid", list->ids[i]->value);
}

static char *check_owner(const struct offer_list *list, size_t i)
{
    const struct master_offer *offer = list->offers[i];
    return offer->framework == list->framework
               ? NULL
               : memory_format("Offer %s has invalid framework %s while framework %s is expected",
                               offer->id, offer->framework->id, list->framework->id);
}

static char *check_role(const struct offer_list *list, size_t i)
{
    const struct master_offer *offer = list->offers[i], *first = list->offers[0];
    return strcmp(offer->role, first->role) == 0
               ? NULL
               : memory_format("Aggregated offers must be allocated to the same role. Offer %s "
                               "uses role '%s but another is using role '%s",
                               offer->id, offer->role, first->role);
}

static char *check_agent(const struct offer_list *list, size_t i)
{
    const struct master_offer *offer = list->offers[i], *first = list->offers[0];
    return offer->node == first->node
               ? NULL
               : memory_format("Aggregated offers must belong to one single agent. Offer %s uses "
                               "agent %s and agent %s",
                               offer->id, offer->node->id, first->node->id);
}

char *validation_offers(const struct master_framework *framework, Mesos__V1__OfferID **ids,
                        struct master_offer **offers, size_t count)
{
    static char *(*const checks[])(const struct offer_list *, size_t) = {
        check_unique, check_exists, check_owner, check_role, check_agent};
    const struct offer_list list = {framework, ids, offers};
    char *fault = count == 0 ? memory_string("No offers specified") : NULL;
    for (size_t check = 0; check < sizeof checks / sizeof checks[0]; check++)
        for (size_t i = 0; i < count && fault == NULL; i++)
            fault = checks[check](&list, i);
    return fault;
}
