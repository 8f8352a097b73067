// SPDX-License-Identifier: Apache-2.0
//
// What the checks of operations have in common: see operation_rules.h.

#include "master/operation_rules.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "master/master_internal.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Resource Resource;

#define PROVIDERS_LIMIT ((size_t)1 << 20)

// ---- texts ----

char *operation_rules_within(const char *context, char *fault)
{
    if (fault == NULL)
        return NULL;
    char *text = memory_format("%s: %s", context, fault);
    free(fault);
    return text;
}

char *operation_rules_about(const char *before, const Resource *resource, const char *behind)
{
    char *text = resource_describe(resource);
    char *fault = memory_format("%s%s%s", before, text, behind);
    free(text);
    return fault;
}

char *operation_rules_fault(bool good, const struct error *err)
{
    return good ? NULL : memory_string(err->text);
}

// ---- resources ----

char *operation_rules_list(Resource *const *items, size_t count)
{
    struct error err = {0};
    return operation_rules_fault(resource_validation_check(items, count, &err), &err);
}

static const char *provider_of(const Resource *resource)
{
    return resource->provider_id ? resource->provider_id->value : NULL;
}

static bool is_among(Resource *const *items, size_t count, const char *provider)
{
    for (size_t i = 0; i < count; i++) {
        const char *own = provider_of(items[i]);
        if (own == provider || (own && provider && strcmp(own, provider) == 0))
            return true;
    }
    return false;
}

static char *several_providers(Resource *const *items, size_t count)
{
    struct buffer text;
    buffer_init(&text, PROVIDERS_LIMIT);
    for (size_t i = 0; i < count; i++)
        if (!is_among(items, i, provider_of(items[i])))
            buffer_format(&text, "%s%s", i ? ", " : "", provider_of(items[i]));
    char *fault =
        memory_format("The resources have multiple resource providers: %s", buffer_string(&text));
    buffer_free(&text);
    return fault;
}

char *operation_rules_provider(Resource *const *items, size_t count)
{
    size_t providers = 0;
    for (size_t i = 0; i < count; i++)
        providers += !is_among(items, i, provider_of(items[i]));
    if (providers == 1)
        return NULL;
    return is_among(items, count, NULL)
               ? memory_string("Some resources have a resource provider and some do not")
               : several_providers(items, count);
}

char *operation_rules_resources(Resource *const *items, size_t count)
{
    char *fault = operation_rules_list(items, count);
    if (fault == NULL)
        fault = operation_rules_provider(items, count);
    return operation_rules_within("Invalid resources", fault);
}

char *operation_rules_single_role(Resource *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *role = resource_allocation_role(items[i]);
        const char *first = resource_allocation_role(items[0]);
        if (role == NULL)
            return memory_string("The resources are not allocated to a role");
        if (strcmp(role, first) != 0)
            return memory_format("The resources have multiple allocation roles ('%s' and '%s') but "
                                 "only one allocation role is allowed",
                                 role, first);
    }
    return NULL;
}
