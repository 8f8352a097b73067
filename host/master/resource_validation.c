// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with the resources of a task or an operation, in the words of a master. Each of
// them has passed resource_check(); they may be in either format of reservations.

#include "master/master_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Resources of tasks may be in the older format.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

typedef Mesos__V1__Resource Resource;

static bool fault(struct error *err, const char *text)
{
    return error_set(err, ERROR_INVALID, "%s", text);
}

static double sum_of(Resource *const *items, size_t count, const char *name)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(items[i]->name, name) == 0 && items[i]->scalar != NULL)
            sum += items[i]->scalar->value;
    return sum;
}

static const char *reserved_role(const Resource *resource)
{
    if (resource->n_reservations > 0)
        return resource_reserved_role(resource);
    return resource->role != NULL && strcmp(resource->role, "*") != 0 ? resource->role : NULL;
}

static bool check_volume(const Resource *resource, struct error *err)
{
    const Mesos__V1__Volume *volume = resource->disk->volume;
    if (resource->revocable != NULL)
        return fault(err, "Persistent volumes cannot be created from revocable resources");
    if (reserved_role(resource) == NULL)
        return fault(err, "Persistent volumes cannot be created from unreserved resources");
    if (volume == NULL)
        return fault(err, "Expecting 'volume' to be set for persistent volume");
    if (volume->host_path != NULL)
        return fault(err, "Expecting 'host_path' to be unset for persistent volume");
    return validation_id(resource->disk->persistence->id, err) ||
           error_context(err, "Invalid persistence ID for persistent volume");
}

static bool check_disk(const Resource *resource, struct error *err)
{
    if (resource->disk == NULL)
        return true;
    if (resource->disk->persistence != NULL)
        return check_volume(resource, err);
    if (resource->disk->volume != NULL)
        return fault(err, "Non-persistent volume not supported");
    return resource->disk->source != NULL || fault(err, "DiskInfo is set but empty");
}

static bool check_reservation(const Resource *resource, struct error *err)
{
    bool dynamic = resource_is_dynamic(resource) || resource->reservation != NULL;
    if (!dynamic || resource->revocable == NULL)
        return true;
    char *text = resource_describe(resource);
    error_set(err, ERROR_INVALID,
              "Dynamically reserved resource %.600s cannot be created from revocable resources",
              text);
    free(text);
    return false;
}

bool resource_validation_check(Resource *const *items, size_t count, struct error *err)
{
    if (fmod(round(sum_of(items, count, "gpus") * 1000), 1000) != 0)
        return fault(err, "Invalid 'gpus' resource: The 'gpus' resource must be an unsigned "
                          "integer");
    for (size_t i = 0; i < count; i++)
        if (!check_disk(items[i], err))
            return error_context(err, "Invalid DiskInfo");
    for (size_t i = 0; i < count; i++)
        if (!check_reservation(items[i], err))
            return error_context(err, "Invalid ReservationInfo");
    return true;
}

// ---- volumes ----

bool resource_validation_volumes(Resource *const *items, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const Mesos__V1__Resource__DiskInfo *disk = items[i]->disk;
        if (disk == NULL) {
            char *text = resource_describe(items[i]);
            error_set(err, ERROR_INVALID, "Resource %.600s does not have DiskInfo", text);
            free(text);
            return false;
        }
        if (disk->persistence == NULL)
            return fault(err, "'persistence' is not set in DiskInfo");
        if (disk->volume == NULL)
            return fault(err, "Expecting 'volume' to be set for persistent volume");
        if (disk->volume->mode == MESOS__V1__VOLUME__MODE__RO)
            return fault(err, "Read-only persistent volume not supported");
    }
    return true;
}

static bool same_volume(const Resource *a, const Resource *b)
{
    const char *role = reserved_role(a), *other = reserved_role(b);
    return resource_is_volume(a) && resource_is_volume(b) && role != NULL && other != NULL &&
           strcmp(role, other) == 0 &&
           strcmp(a->disk->persistence->id, b->disk->persistence->id) == 0;
}

// Copies of a shared volume are one volume.
static bool is_copy(const Resource *a, const Resource *b)
{
    Resource *item = (Resource *)(uintptr_t)a;
    const struct resources one = {&item, 1};
    return a->shared != NULL && b->shared != NULL && resources_copies(&one, b) > 0;
}

bool resource_validation_unique_volumes(const struct resources *there, const struct resources *more,
                                        struct error *err)
{
    for (size_t i = 0; i < more->count; i++) {
        const Resource *own = more->items[i];
        bool twice = false;
        if (!resource_is_volume(own))
            continue;
        for (size_t j = 0; j < there->count; j++)
            twice = twice || same_volume(own, there->items[j]);
        for (size_t j = 0; j < i; j++)
            twice = twice || (same_volume(own, more->items[j]) && !is_copy(own, more->items[j]));
        if (twice)
            return error_set(err, ERROR_INVALID, "Persistence ID '%s' is not unique",
                             own->disk->persistence->id);
    }
    return true;
}

// ---- roles and kinds ----

static const char *allocation_of(const Resource *resource, const char *role)
{
    const Mesos__V1__Resource__AllocationInfo *given = resource->allocation_info;
    return given != NULL && given->role != NULL ? given->role : role;
}

bool resource_validation_single_role(Resource *const *items, size_t count, const char *role,
                                     struct error *err)
{
    for (size_t i = 1; i < count; i++) {
        const char *first = allocation_of(items[0], role), *other = allocation_of(items[i], role);
        if (strcmp(other, first) != 0)
            return error_set(err, ERROR_INVALID,
                             "The resources have multiple allocation roles ('%.200s' and '%.200s') "
                             "but only one allocation role is allowed",
                             other, first);
    }
    return true;
}

bool resource_validation_unmixed(Resource *const *items, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; items[i]->revocable != NULL && j < count; j++)
            if (items[j]->revocable == NULL && strcmp(items[i]->name, items[j]->name) == 0)
                return error_set(err, ERROR_INVALID,
                                 "Cannot use both revocable and non-revocable '%.200s' at the same "
                                 "time",
                                 items[i]->name);
    return true;
}

// If the quantities of the lists are more than that of their sum, they have something in common.
bool resource_validation_overlap(const struct resources *lists, size_t count)
{
    struct resources sum = {0};
    bool overlap = false;
    for (size_t i = 0; i < count; i++)
        resources_add(&sum, &lists[i]);
    for (size_t i = 0; i < sum.count && !overlap; i++) {
        const char *name = sum.items[i]->name;
        double single = 0;
        for (size_t j = 0; j < count; j++)
            single += resources_quantity(&lists[j], name);
        overlap = fabs(single - resources_quantity(&sum, name)) > 0.0005;
    }
    resources_free(&sum);
    return overlap;
}
