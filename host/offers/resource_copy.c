// SPDX-License-Identifier: Apache-2.0
//
// Copying and freeing single resources. Nearly all that a cluster has are plain: an unreserved
// scalar or ranges, allocated or not. These are copied and freed member by member, which takes a
// tenth of a walk over the descriptors of their messages.

#include "offers/resources_internal.h"

#include "base/memory.h"
#include "wire/message_copy.h"

#include <stdlib.h>
#include <string.h>

// Fields that the newer format replaces are looked at here on purpose.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

typedef Mesos__V1__Resource__AllocationInfo Allocation;

static bool is_bare(const ProtobufCMessage *message)
{
    return message == NULL || message->n_unknown_fields == 0;
}

static bool has_bare_ranges(const Resource *resource)
{
    for (size_t i = 0; resource->ranges != NULL && i < resource->ranges->n_range; i++)
        if (!is_bare(&resource->ranges->range[i]->base))
            return false;
    return resource->ranges == NULL || is_bare(&resource->ranges->base);
}

bool resource_is_plain(const Resource *resource)
{
    return resource->disk == NULL && resource->reservation == NULL && resource->revocable == NULL &&
           resource->shared == NULL && resource->provider_id == NULL &&
           resource->n_reservations == 0 && resource->set == NULL &&
           resource->role == mesos__v1__resource__role__default_value;
}

bool resource_is_simple(const Resource *resource)
{
    return resource_is_plain(resource) && is_bare(&resource->base) && resource->name != NULL &&
           (resource->scalar == NULL || is_bare(&resource->scalar->base)) &&
           (resource->allocation_info == NULL || is_bare(&resource->allocation_info->base)) &&
           has_bare_ranges(resource);
}

static void *copy_block(const void *block, size_t size)
{
    return memcpy(memory_resize(NULL, size), block, size);
}

static Mesos__V1__Value__Ranges *copy_ranges(const Mesos__V1__Value__Ranges *ranges)
{
    Mesos__V1__Value__Ranges *copy = copy_block(ranges, sizeof *ranges);
    copy->range = NULL;
    if (ranges->n_range == 0)
        return copy;
    copy->range = copy_block(ranges->range, ranges->n_range * sizeof(Mesos__V1__Value__Range *));
    for (size_t i = 0; i < ranges->n_range; i++)
        copy->range[i] = copy_block(ranges->range[i], sizeof *ranges->range[i]);
    return copy;
}

static Allocation *copy_allocation(const Allocation *allocation)
{
    Allocation *copy = copy_block(allocation, sizeof *allocation);
    copy->role = memory_string(allocation->role);
    return copy;
}

Resource *resource_copy(const Resource *resource)
{
    if (!resource_is_simple(resource))
        return message_copy(&resource->base);
    Resource *copy = copy_block(resource, sizeof *resource);
    copy->name = memory_string(resource->name);
    copy->reservations = NULL;
    if (resource->scalar != NULL)
        copy->scalar = copy_block(resource->scalar, sizeof *resource->scalar);
    if (resource->ranges != NULL)
        copy->ranges = copy_ranges(resource->ranges);
    if (resource->allocation_info != NULL)
        copy->allocation_info = copy_allocation(resource->allocation_info);
    return copy;
}

static void free_ranges(Mesos__V1__Value__Ranges *ranges)
{
    for (size_t i = 0; ranges != NULL && i < ranges->n_range; i++)
        free(ranges->range[i]);
    if (ranges != NULL)
        free(ranges->range);
    free(ranges);
}

void resource_free(Resource *resource)
{
    if (resource == NULL)
        return;
    if (!resource_is_simple(resource)) {
        mesos__v1__resource__free_unpacked(resource, NULL);
        return;
    }
    if (resource->allocation_info != NULL)
        free(resource->allocation_info->role);
    free(resource->allocation_info);
    free_ranges(resource->ranges);
    free(resource->scalar);
    free(resource->name);
    free(resource);
}
