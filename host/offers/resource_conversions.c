// SPDX-License-Identifier: Apache-2.0
//
// Conversions of resources by operations: see resource_conversions.h.

#include "offers/resource_conversions.h"

#include "base/memory.h"
#include "wire/message_copy.h"

#include <stdlib.h>

typedef Mesos__V1__Offer__Operation Operation;
typedef Mesos__V1__Resource Resource;

#define TYPE(NAME) MESOS__V1__OFFER__OPERATION__TYPE__##NAME

// ---- the resources of an operation ----

static size_t lists_of_reserve(const Operation *operation, struct resources *lists)
{
    const Mesos__V1__Offer__Operation__Reserve *reserve = operation->reserve;
    lists[0] = (struct resources){reserve->resources, reserve->n_resources};
    lists[1] = (struct resources){reserve->source, reserve->n_source};
    return 2;
}

static size_t lists_of_grow(const Operation *operation, struct resources *lists)
{
    lists[0] = (struct resources){&operation->grow_volume->volume, 1};
    lists[1] = (struct resources){&operation->grow_volume->addition, 1};
    return 2;
}

static size_t single_list(Resource **items, size_t count, struct resources *lists)
{
    lists[0] = (struct resources){items, count};
    return 1;
}

size_t resource_conversions_lists(const Operation *operation,
                                  struct resources lists[RESOURCE_LISTS])
{
    if (operation->type == TYPE(RESERVE) && operation->reserve != NULL)
        return lists_of_reserve(operation, lists);
    if (operation->type == TYPE(UNRESERVE) && operation->unreserve != NULL)
        return single_list(operation->unreserve->resources, operation->unreserve->n_resources,
                           lists);
    if (operation->type == TYPE(CREATE) && operation->create != NULL)
        return single_list(operation->create->volumes, operation->create->n_volumes, lists);
    if (operation->type == TYPE(DESTROY) && operation->destroy != NULL)
        return single_list(operation->destroy->volumes, operation->destroy->n_volumes, lists);
    if (operation->type == TYPE(GROW_VOLUME) && operation->grow_volume != NULL)
        return lists_of_grow(operation, lists);
    if (operation->type == TYPE(SHRINK_VOLUME) && operation->shrink_volume != NULL)
        return single_list(&operation->shrink_volume->volume, 1, lists);
    if (operation->type == TYPE(CREATE_DISK) && operation->create_disk != NULL)
        return single_list(&operation->create_disk->source, 1, lists);
    if (operation->type == TYPE(DESTROY_DISK) && operation->destroy_disk != NULL)
        return single_list(&operation->destroy_disk->source, 1, lists);
    return 0;
}

// ---- one resource ----

static void put(struct resources *list, Resource *resource)
{
    resources_add_message(list, resource);
    resource_free(resource);
}

static void put_resized(struct resources *list, const Resource *volume, double difference)
{
    Resource *resized = message_copy(&volume->base);
    resized->scalar->value += difference;
    put(list, resized);
}

static void put_unreserved(struct resources *list, const Resource *reserved)
{
    Resource *resource = message_copy(&reserved->base);
    resource_pop_reservation(resource);
    put(list, resource);
}

// ---- the conversions of each type ----

static struct resource_conversion *add(struct resource_conversions *conversions)
{
    conversions->items =
        memory_resize(conversions->items, (conversions->count + 1) * sizeof *conversions->items);
    struct resource_conversion *added = &conversions->items[conversions->count++];
    *added = (struct resource_conversion){.ends = false};
    return added;
}

static void find_reserve(struct resource_conversions *conversions, const Operation *operation)
{
    const Mesos__V1__Offer__Operation__Reserve *reserve = operation->reserve;
    struct resource_conversion *one = add(conversions);
    for (size_t i = 0; i < reserve->n_resources; i++) {
        resources_add_message(&one->converted, reserve->resources[i]);
        if (reserve->n_source == 0)
            put_unreserved(&one->consumed, reserve->resources[i]);
    }
    for (size_t i = 0; i < reserve->n_source; i++)
        resources_add_message(&one->consumed, reserve->source[i]);
}

static void find_unreserve(struct resource_conversions *conversions, const Operation *operation)
{
    for (size_t i = 0; i < operation->unreserve->n_resources; i++) {
        struct resource_conversion *one = add(conversions);
        resources_add_message(&one->consumed, operation->unreserve->resources[i]);
        put_unreserved(&one->converted, operation->unreserve->resources[i]);
    }
}

static void find_create(struct resource_conversions *conversions, const Operation *operation)
{
    for (size_t i = 0; i < operation->create->n_volumes; i++) {
        struct resource_conversion *one = add(conversions);
        put(&one->consumed, resource_without_volume(operation->create->volumes[i]));
        resources_add_message(&one->converted, operation->create->volumes[i]);
    }
}

static void find_destroy(struct resource_conversions *conversions, const Operation *operation)
{
    for (size_t i = 0; i < operation->destroy->n_volumes; i++) {
        struct resource_conversion *one = add(conversions);
        resources_add_message(&one->consumed, operation->destroy->volumes[i]);
        put(&one->converted, resource_without_volume(operation->destroy->volumes[i]));
        one->ends = true;
    }
}

static void find_grow(struct resource_conversions *conversions, const Operation *operation)
{
    const Mesos__V1__Offer__Operation__GrowVolume *grow = operation->grow_volume;
    struct resource_conversion *one = add(conversions);
    resources_add_message(&one->consumed, grow->volume);
    resources_add_message(&one->consumed, grow->addition);
    put_resized(&one->converted, grow->volume, grow->addition->scalar->value);
}

static void find_shrink(struct resource_conversions *conversions, const Operation *operation)
{
    const Mesos__V1__Offer__Operation__ShrinkVolume *shrink = operation->shrink_volume;
    struct resource_conversion *one = add(conversions);
    Resource *freed = resource_without_volume(shrink->volume);
    freed->scalar->value = shrink->subtract->value;
    resources_add_message(&one->consumed, shrink->volume);
    put_resized(&one->converted, shrink->volume, -shrink->subtract->value);
    put(&one->converted, freed);
}

void resource_conversions_find(struct resource_conversions *conversions, const Operation *operation)
{
    static void (*const finders[])(struct resource_conversions *, const Operation *) = {
        [TYPE(RESERVE)] = find_reserve,  [TYPE(UNRESERVE)] = find_unreserve,
        [TYPE(CREATE)] = find_create,    [TYPE(DESTROY)] = find_destroy,
        [TYPE(GROW_VOLUME)] = find_grow, [TYPE(SHRINK_VOLUME)] = find_shrink,
        [TYPE(DESTROY_DISK)] = NULL,
    };
    size_t type = (size_t)operation->type;
    *conversions = (struct resource_conversions){0};
    if (type < sizeof finders / sizeof finders[0] && finders[type] != NULL)
        finders[type](conversions, operation);
}

void resource_conversions_free(struct resource_conversions *conversions)
{
    for (size_t i = 0; i < conversions->count; i++) {
        resources_free(&conversions->items[i].consumed);
        resources_free(&conversions->items[i].converted);
    }
    free(conversions->items);
    *conversions = (struct resource_conversions){0};
}

void resource_conversions_consumed(const struct resource_conversions *conversions,
                                   struct resources *all)
{
    for (size_t i = 0; i < conversions->count; i++)
        resources_add(all, &conversions->items[i].consumed);
}

// ---- carrying them out ----

static char *lack(const struct resources *list, const struct resources *wanted)
{
    char *has = resources_describe(list), *needs = resources_describe(wanted);
    char *fault = memory_format("%s does not contain %s", has, needs);
    free(has);
    free(needs);
    return fault;
}

static char *left_copies(const Resource *volume)
{
    char *text = resource_describe(volume);
    char *fault = memory_format("Persistent volume %s cannot be removed due to additional shared "
                                "copies",
                                text);
    free(text);
    return fault;
}

static char *convert(const struct resource_conversion *conversion, struct resources *list)
{
    if (!resources_contain(list, &conversion->consumed))
        return lack(list, &conversion->consumed);
    resources_subtract(list, &conversion->consumed);
    resources_add(list, &conversion->converted);
    if (conversion->ends && conversion->consumed.count > 0 &&
        resources_contain(list, &conversion->consumed))
        return left_copies(conversion->consumed.items[0]);
    return NULL;
}

char *resource_conversions_apply(const struct resource_conversions *conversions,
                                 struct resources *list)
{
    struct resources changed;
    char *fault = NULL;
    resources_copy(&changed, list);
    for (size_t i = 0; i < conversions->count && fault == NULL; i++)
        fault = convert(&conversions->items[i], &changed);
    if (fault == NULL) {
        resources_free(list);
        *list = changed;
    } else {
        resources_free(&changed);
    }
    return fault;
}
