// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with RESERVE and UNRESERVE, in the order and the words of a master.

#include "base/buffer.h"
#include "base/memory.h"
#include "master/master_internal.h"
#include "master/operation_rules.h"
#include "wire/message_copy.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Resource Resource;
typedef struct operation_attempt Attempt;

#define ROLES_LIMIT ((size_t)1 << 20)

// ---- RESERVE ----

static char *roles_text(const struct role *roles, size_t count)
{
    struct buffer text;
    buffer_init(&text, ROLES_LIMIT);
    buffer_append_text(&text, "{ ");
    for (size_t i = 0; i < count; i++)
        buffer_format(&text, "%s%s", i ? ", " : "", roles[i].name);
    buffer_append_text(&text, " }");
    char *copy = memory_string(buffer_string(&text));
    buffer_free(&text);
    return copy;
}

static char *check_one_reservation(Resource *const *items, size_t count)
{
    if (count == 0)
        return memory_string("Resource cannot be empty");
    for (size_t i = 1; i < count; i++) {
        if (resource_same_reservations(items[i], items[0]))
            continue;
        const struct resources list = {(Resource **)(uintptr_t)items, count};
        char *text = resources_describe(&list);
        char *fault = memory_format("Mixed reservations are not supported%s", text);
        free(text);
        return fault;
    }
    return NULL;
}

static struct resources unreserved(Resource *const *items, size_t count)
{
    struct resources list = {0};
    for (size_t i = 0; i < count; i++) {
        Resource *copy = message_copy(&items[i]->base);
        while (copy->n_reservations > 0)
            resource_pop_reservation(copy);
        resources_add_message(&list, copy);
        resource_free(copy);
    }
    return list;
}

static char *check_quantities(const Mesos__V1__Offer__Operation__Reserve *reserve)
{
    struct resources from = unreserved(reserve->source, reserve->n_source);
    struct resources to = unreserved(reserve->resources, reserve->n_resources);
    char *fault = NULL;
    if (!resources_contain(&from, &to) || !resources_contain(&to, &from)) {
        char *source = resources_describe(&from), *target = resources_describe(&to);
        fault = memory_format("Source and target resources should refer to identical resource "
                              "quantities: %s vs. %s",
                              source, target);
        free(source);
        free(target);
    }
    resources_free(&from);
    resources_free(&to);
    return fault;
}

static char *check_source(const Mesos__V1__Offer__Operation__Reserve *reserve)
{
    if (reserve->n_source == 0)
        return NULL;
    char *fault = operation_rules_within("Invalid source",
                                         check_one_reservation(reserve->source, reserve->n_source));
    if (fault == NULL)
        fault = operation_rules_within(
            "Invalid resources", check_one_reservation(reserve->resources, reserve->n_resources));
    return fault != NULL ? fault : check_quantities(reserve);
}

static char *check_reserve_principal(const Attempt *attempt, const Resource *resource)
{
    const char *own = resource->reservations[resource->n_reservations - 1]->principal;
    if (attempt->principal == NULL)
        return NULL;
    if (own == NULL)
        return memory_format("A reserve operation was attempted by principal '%s', but there is a "
                             "reserved resource in the request with no principal set",
                             attempt->principal);
    if (strcmp(own, attempt->principal) != 0)
        return memory_format("A reserve operation was attempted by authenticated principal '%s', "
                             "which does not match a reserved resource in the request with "
                             "principal '%s'",
                             attempt->principal, own);
    return NULL;
}

// The roles of the framework have that of the allocation, which is that of the reservation.
static char *check_reserve_role(const Attempt *attempt, const Resource *resource)
{
    const char *allocated = resource_allocation_role(resource);
    const char *reserved = resource_reserved_role(resource);
    const struct master_framework *framework = attempt->framework;
    if (allocated == NULL)
        return operation_rules_about(
            "A reserve operation was attempted on unallocated resource ", resource,
            ", but frameworks can only perform reservations on allocated resources");
    if (strcmp(allocated, reserved) != 0)
        return memory_format("A reserve operation was attempted for a resource with role '%s', but "
                             "the resource was allocated to role '%s'",
                             reserved, allocated);
    if (master_records_role(framework, allocated) != NULL)
        return NULL;
    char *roles = roles_text(framework->roles, framework->role_count);
    char *fault =
        memory_format("A reserve operation was attempted for a resource allocated to role "
                      "'%s', but the framework only has roles '%s'",
                      allocated, roles);
    free(roles);
    return fault;
}

static char *check_reserved(const Attempt *attempt, const Resource *resource)
{
    if (!resource_is_dynamic(resource))
        return operation_rules_about("Resource ", resource, " is not dynamically reserved");
    char *fault = check_reserve_principal(attempt, resource);
    if (fault != NULL)
        return fault;
    if (attempt->framework != NULL)
        return check_reserve_role(attempt, resource);
    return resource->allocation_info == NULL
               ? NULL
               : memory_string("A reserve operation was attempted with an allocated resource, but "
                               "the operator API only allows reservations to be made to "
                               "unallocated resources");
}

char *reservation_validation_reserve(const Attempt *attempt)
{
    const Mesos__V1__Offer__Operation__Reserve *reserve = attempt->operation->reserve;
    char *fault = operation_rules_within(
        "Invalid resources", operation_rules_list(reserve->resources, reserve->n_resources));
    if (fault == NULL)
        fault = operation_rules_within("Invalid source",
                                       operation_rules_list(reserve->source, reserve->n_source));
    if (fault == NULL)
        fault = check_source(reserve);
    if (fault == NULL)
        fault = operation_rules_within(
            "Invalid resources",
            operation_rules_provider(reserve->resources, reserve->n_resources));
    for (size_t i = 0; i < reserve->n_resources && fault == NULL; i++)
        fault = check_reserved(attempt, reserve->resources[i]);
    if (fault == NULL && attempt->framework != NULL)
        fault = operation_rules_within(
            "Invalid reservation resources",
            operation_rules_single_role(reserve->resources, reserve->n_resources));
    return fault;
}

// ---- UNRESERVE ----

char *reservation_validation_unreserve(const Attempt *attempt)
{
    const Mesos__V1__Offer__Operation__Unreserve *unreserve = attempt->operation->unreserve;
    char *fault = operation_rules_resources(unreserve->resources, unreserve->n_resources);
    for (size_t i = 0; i < unreserve->n_resources && fault == NULL; i++) {
        const Resource *resource = unreserve->resources[i];
        if (!resource_is_dynamic(resource))
            fault = operation_rules_about("Resource ", resource, " is not dynamically reserved");
        else if (resource_is_volume(resource))
            fault = operation_rules_about("A dynamically reserved persistent volume ", resource,
                                          " cannot be unreserved directly. Please destroy the "
                                          "persistent volume first then unreserve the resource");
    }
    return fault;
}
