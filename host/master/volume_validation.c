// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with operations on volumes and disks, in the order and the words of a master.

#include "base/memory.h"
#include "master/master_internal.h"
#include "master/operation_rules.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Resource Resource;
typedef struct operation_attempt Attempt;

#define SOURCE_TYPE(NAME) MESOS__V1__RESOURCE__DISK_INFO__SOURCE__TYPE__##NAME

static char *check_volumes(Resource *const *items, size_t count)
{
    struct error err = {0};
    return operation_rules_fault(resource_validation_volumes(items, count, &err), &err);
}

// ---- CREATE ----

static char *check_create_principal(const Attempt *attempt, const Resource *volume)
{
    const char *own = volume->disk->persistence->principal;
    if (attempt->principal == NULL)
        return NULL;
    if (own == NULL)
        return memory_format("Create volume operation attempted by principal '%s', but there is a "
                             "volume in the operation with no principal set in 'disk.persistence'",
                             attempt->principal);
    if (strcmp(own, attempt->principal) != 0)
        return memory_format("Create volume operation attempted by authenticated principal '%s', "
                             "which does not match a volume in the operation with principal '%s' "
                             "set in 'disk.persistence'",
                             attempt->principal, own);
    return NULL;
}

static char *lacks_capability(const struct master_framework *framework, const Resource *volume)
{
    char *text = resource_describe(volume);
    char *fault = memory_format("Create volume operation for '%s' has been attempted by framework "
                                "'%s' with no SHARED_RESOURCES capability",
                                text, framework->id);
    free(text);
    return fault;
}

static char *check_created(const Attempt *attempt, const Resource *volume)
{
    const struct master_framework *framework = attempt->framework;
    if (framework != NULL && volume->shared != NULL && !framework->shared)
        return lacks_capability(framework, volume);
    return check_create_principal(attempt, volume);
}

char *volume_validation_create(const Attempt *attempt)
{
    const Mesos__V1__Offer__Operation__Create *create = attempt->operation->create;
    const struct resources volumes = {create->volumes, create->n_volumes};
    struct error err = {0};
    char *fault = operation_rules_resources(volumes.items, volumes.count);
    if (fault == NULL)
        fault = operation_rules_within("Not a persistent volume",
                                       check_volumes(volumes.items, volumes.count));
    if (fault == NULL)
        fault = operation_rules_fault(
            resource_validation_unique_volumes(&attempt->node->total, &volumes, &err), &err);
    for (size_t i = 0; i < volumes.count && fault == NULL; i++)
        fault = check_created(attempt, volumes.items[i]);
    if (fault == NULL && attempt->framework != NULL)
        fault = operation_rules_within("Invalid volume resources",
                                       operation_rules_single_role(volumes.items, volumes.count));
    return fault;
}

// ---- DESTROY ----

static bool is_used(const struct node *node, const struct resources *volume)
{
    const struct master_task *task;
    bool held = false;
    TAILQ_FOREACH(task, &node->tasks, of_node)
    {
        if (!task->holds || held)
            continue;
        struct resources own;
        resources_packed_open(&own, task->resources);
        resources_allocate(&own, NULL);
        held = resources_contain(&own, volume);
        resources_free(&own);
    }
    return held;
}

static char *check_destroyed(const Attempt *attempt, const struct resources *volumes)
{
    for (size_t i = 0; i < volumes->count; i++) {
        const struct resources one = {&volumes->items[i], 1};
        if (volumes->items[i]->provider_id == NULL &&
            !resources_contain(&attempt->node->total, &one))
            return memory_string("Persistent volumes not found");
    }
    for (size_t i = 0; i < volumes->count; i++) {
        const struct resources one = {&volumes->items[i], 1};
        if (is_used(attempt->node, &one))
            return memory_string("Persistent volumes in use");
    }
    return NULL;
}

char *volume_validation_destroy(const Attempt *attempt)
{
    const Mesos__V1__Offer__Operation__Destroy *destroy = attempt->operation->destroy;
    struct resources volumes = {0};
    for (size_t i = 0; i < destroy->n_volumes; i++)
        resources_add_message(&volumes, destroy->volumes[i]);
    resources_allocate(&volumes, NULL);
    char *fault = operation_rules_resources(volumes.items, volumes.count);
    if (fault == NULL)
        fault = operation_rules_within("Not a persistent volume",
                                       check_volumes(volumes.items, volumes.count));
    if (fault == NULL)
        fault = check_destroyed(attempt, &volumes);
    resources_free(&volumes);
    return fault;
}

// ---- GROW_VOLUME, SHRINK_VOLUME ----

static int64_t thousandths(const Mesos__V1__Value__Scalar *scalar)
{
    return scalar ? llround(scalar->value * 1000) : 0;
}

// The addition and the volume's disk are of one kind.
static bool can_be_added(const Resource *volume, const Resource *addition)
{
    struct resources both = {0};
    Resource *disk = resource_without_volume(volume);
    resources_add_message(&both, disk);
    resources_add_message(&both, addition);
    bool one = both.count == 1;
    resource_free(disk);
    resources_free(&both);
    return one;
}

char *volume_validation_grow(const Attempt *attempt)
{
    const Mesos__V1__Offer__Operation__GrowVolume *grow = attempt->operation->grow_volume;
    if (thousandths(grow->addition->scalar) <= 0)
        return memory_string("The size of 'GrowVolume.addition' field must be greater than zero");
    if (grow->volume->provider_id != NULL)
        return memory_string("Growing a volume from a resource provider is not supported");
    char *fault =
        operation_rules_within("Invalid persistent volume in the 'GrowVolume.volume' field",
                               check_volumes(&grow->volume, 1));
    if (fault != NULL)
        return fault;
    if (grow->volume->shared != NULL)
        return memory_string("Growing a shared persistent volume is not supported");
    bool scalars = grow->volume->scalar != NULL && grow->addition->scalar != NULL;
    return scalars && can_be_added(grow->volume, grow->addition)
               ? NULL
               : memory_string("Incompatible resources in the 'GrowVolume.volume' and "
                               "'GrowVolume.addition' fields");
}

static bool is_disk(const Resource *resource, Mesos__V1__Resource__DiskInfo__Source__Type type)
{
    return resource->disk != NULL && resource->disk->source != NULL &&
           resource->disk->source->type == type;
}

char *volume_validation_shrink(const Attempt *attempt)
{
    const Mesos__V1__Offer__Operation__ShrinkVolume *shrink = attempt->operation->shrink_volume;
    int64_t less = thousandths(shrink->subtract);
    if (less <= 0)
        return memory_string("Value of 'ShrinkVolume.subtract' must be greater than zero");
    if (thousandths(shrink->volume->scalar) <= less)
        return memory_string("Value of 'ShrinkVolume.subtract' must be smaller than the size of "
                             "'ShrinkVolume.volume'");
    if (shrink->volume->provider_id != NULL)
        return memory_string("Shrinking a volume from a resource provider is not supported");
    if (is_disk(shrink->volume, SOURCE_TYPE(MOUNT)))
        return memory_string("Shrinking a volume on a MOUNT disk is not supported");
    char *fault =
        operation_rules_within("Invalid persistent volume in the 'ShrinkVolume.volume' field",
                               check_volumes(&shrink->volume, 1));
    if (fault != NULL)
        return fault;
    return shrink->volume->shared == NULL
               ? NULL
               : memory_string("Shrinking a shared persistent volume is not supported");
}

// ---- CREATE_DISK, DESTROY_DISK ----

char *volume_validation_create_disk(const Attempt *attempt)
{
    const Mesos__V1__Offer__Operation__CreateDisk *create = attempt->operation->create_disk;
    const Resource *source = create->source;
    char *fault =
        operation_rules_within("Invalid resource", operation_rules_list(&create->source, 1));
    if (fault != NULL)
        return fault;
    if (source->provider_id == NULL)
        return memory_string("'source' is not managed by a resource provider");
    if (!is_disk(source, SOURCE_TYPE(RAW)))
        return memory_string("'source' is not a RAW disk resource");
    if (create->target_type != SOURCE_TYPE(MOUNT) && create->target_type != SOURCE_TYPE(BLOCK))
        return memory_string("'target_type' is neither MOUNT or BLOCK");
    bool profile = source->disk->source->profile != NULL, target = create->target_profile != NULL;
    if (profile && target)
        return memory_string("'target_profile' must not be set when 'source' has a profile");
    return profile || target
               ? NULL
               : memory_string("'target_profile' must be set when 'source' has no profile");
}

char *volume_validation_destroy_disk(const Attempt *attempt)
{
    const Mesos__V1__Offer__Operation__DestroyDisk *destroy = attempt->operation->destroy_disk;
    const Resource *source = destroy->source;
    char *fault =
        operation_rules_within("Invalid resource", operation_rules_list(&destroy->source, 1));
    if (fault != NULL)
        return fault;
    if (source->provider_id == NULL)
        return memory_string("'source' is not managed by a resource provider");
    if (!is_disk(source, SOURCE_TYPE(MOUNT)) && !is_disk(source, SOURCE_TYPE(BLOCK)) &&
        !is_disk(source, SOURCE_TYPE(RAW)))
        return memory_string("'source' is neither a MOUNT, BLOCK or RAW disk resource");
    if (source->disk->source->id == NULL)
        return memory_string("'source' is not backed by a CSI volume");
    return !resource_is_volume(source)
               ? NULL
               : operation_rules_about("A disk resource containing a persistent volume ", source,
                                       " cannot be destroyed directly. Please destroy the "
                                       "persistent volume first then destroy the disk resource");
}
