// SPDX-License-Identifier: Apache-2.0
//
// Lists of resources; see the header for what always holds. The list functions find the entry of
// the same kind and leave its value to resource_values.c.

#include "offers/resources_internal.h"

#include "base/memory.h"
#include "offers/role_name.h"

#include <stdlib.h>
#include <string.h>

#define SOURCE_TYPE(NAME) MESOS__V1__RESOURCE__DISK_INFO__SOURCE__TYPE__##NAME

// ---- roles ----

const char *resource_allocation_role(const Resource *resource)
{
    return resource->allocation_info ? resource->allocation_info->role : NULL;
}

const char *resource_reserved_role(const Resource *resource)
{
    return resource->n_reservations ? resource->reservations[resource->n_reservations - 1]->role
                                    : NULL;
}

// ---- comparison ----

static bool message_equal(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    size_t size = protobuf_c_message_get_packed_size(a);
    if (size != protobuf_c_message_get_packed_size(b))
        return false;
    uint8_t *bytes = memory_new(2 * size + 1);
    protobuf_c_message_pack(a, bytes);
    protobuf_c_message_pack(b, bytes + size);
    bool equal = memcmp(bytes, bytes + size, size) == 0;
    free(bytes);
    return equal;
}

// ---- kinds ----

static bool text_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool resource_same_reservations(const Resource *a, const Resource *b)
{
    if (a->n_reservations != b->n_reservations)
        return false;
    for (size_t i = 0; i < a->n_reservations; i++)
        if (!message_equal(&a->reservations[i]->base, &b->reservations[i]->base))
            return false;
    return true;
}

#define SAME_MESSAGE(a, b, field)                                                                  \
    message_equal((a)->field ? &(a)->field->base : NULL, (b)->field ? &(b)->field->base : NULL)

static bool same_kind(const Resource *a, const Resource *b)
{
    if (a->type != b->type || a->name[0] != b->name[0] || strcmp(a->name, b->name) != 0 ||
        !text_equal(resource_allocation_role(a), resource_allocation_role(b)))
        return false;
    return (resource_is_plain(a) && resource_is_plain(b)) ||
           (resource_same_reservations(a, b) && SAME_MESSAGE(a, b, disk) &&
            SAME_MESSAGE(a, b, provider_id) && !a->revocable == !b->revocable &&
            !a->shared == !b->shared);
}

static bool is_device(const Mesos__V1__Resource__DiskInfo__Source *source)
{
    return source->type == SOURCE_TYPE(MOUNT) || source->type == SOURCE_TYPE(BLOCK) ||
           (source->type == SOURCE_TYPE(RAW) && source->id != NULL);
}

// Persistent volumes, disks that are one device, and what is shared are used whole: two of a kind
// are two entries, and a part of one is none.
static bool is_whole(const Resource *resource)
{
    const Mesos__V1__Resource__DiskInfo *disk = resource->disk;
    if (resource->shared != NULL)
        return true;
    return disk != NULL &&
           (disk->persistence != NULL || (disk->source != NULL && is_device(disk->source)));
}

static bool same_value(const Resource *a, const Resource *b)
{
    return resource_values_of(a)->contains(a, b) && resource_values_of(a)->contains(b, a);
}

bool resources_equal_entries(const Resource *a, const Resource *b)
{
    return same_kind(a, b) && same_value(a, b);
}

// The entry that `like` adds to or is taken from.
static Resource *find_kind(const struct resources *list, const Resource *like)
{
    bool whole = is_whole(like);
    for (size_t i = 0; i < list->count; i++)
        if (same_kind(list->items[i], like) && (!whole || same_value(list->items[i], like)))
            return list->items[i];
    return NULL;
}

size_t resources_copies(const struct resources *list, const Resource *like)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += resources_equal_entries(list->items[i], like);
    return count;
}

// ---- lists ----

void resources_free(struct resources *list)
{
    for (size_t i = 0; i < list->count; i++)
        resource_free(list->items[i]);
    free(list->items);
    *list = (struct resources){0};
}

static void append(struct resources *list, Resource *resource)
{
    list->items = memory_resize(list->items, (list->count + 1) * sizeof *list->items);
    list->items[list->count++] = resource;
}

static void drop_empty(struct resources *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (resource_values_of(list->items[i])->empty(list->items[i]))
            resource_free(list->items[i]);
        else
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

void resources_copy(struct resources *to, const struct resources *from)
{
    *to = (struct resources){0};
    if (from->count > 0)
        to->items = memory_resize(NULL, from->count * sizeof *to->items);
    for (; to->count < from->count; to->count++)
        to->items[to->count] = resource_copy(from->items[to->count]);
}

void resources_put(struct resources *list, Resource *resource)
{
    Resource *same = is_whole(resource) ? NULL : find_kind(list, resource);
    if (resource_values_of(resource)->empty(resource)) {
        resource_free(resource);
    } else if (same != NULL) {
        resource_values_of(resource)->add(same, resource);
        resource_free(resource);
    } else {
        append(list, resource);
    }
}

// Mostly the list has an entry of the kind, and only its value changes.
static void add(struct resources *list, const Resource *more)
{
    if (resource_values_of(more)->empty(more))
        return;
    Resource *same = is_whole(more) ? NULL : find_kind(list, more);
    if (same != NULL)
        resource_values_of(more)->add(same, more);
    else
        append(list, resource_copy(more));
}

void resources_add(struct resources *list, const struct resources *more)
{
    for (size_t i = 0; i < more->count; i++)
        add(list, more->items[i]);
}

// What is used up stays in the list, with nothing in it, until drop_empty().
static void take(struct resources *list, const Resource *less)
{
    Resource *same = find_kind(list, less);
    if (same != NULL)
        resource_values_of(same)->subtract(same, less);
}

void resources_subtract(struct resources *list, const struct resources *less)
{
    for (size_t i = 0; i < less->count; i++)
        take(list, less->items[i]);
    drop_empty(list);
}

void resources_add_unshared(struct resources *list, const struct resources *more)
{
    for (size_t i = 0; i < more->count; i++)
        if (more->items[i]->shared == NULL)
            add(list, more->items[i]);
}

void resources_subtract_unshared(struct resources *list, const struct resources *less)
{
    for (size_t i = 0; i < less->count; i++)
        if (less->items[i]->shared == NULL)
            take(list, less->items[i]);
    drop_empty(list);
}

bool resources_contain(const struct resources *list, const struct resources *part)
{
    for (size_t i = 0; i < part->count; i++) {
        const Resource *wanted = part->items[i], *same = find_kind(list, wanted);
        if (same == NULL || !resource_values_of(same)->contains(same, wanted))
            return false;
        if (is_whole(wanted) && resources_copies(list, wanted) < resources_copies(part, wanted))
            return false;
    }
    return true;
}

// A shared resource counts once, however many copies of it there are.
static bool is_repeated(const struct resources *list, size_t index)
{
    const struct resources before = {list->items, index};
    return list->items[index]->shared != NULL && resources_copies(&before, list->items[index]) > 0;
}

double resources_scalar(const struct resources *list, const char *name)
{
    int64_t sum = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->type == MESOS__V1__VALUE__TYPE__SCALAR &&
            strcmp(list->items[i]->name, name) == 0 && !is_repeated(list, i))
            sum += resource_values_thousandths(list->items[i]);
    return (double)sum / 1000;
}

static double quantity(const Resource *resource)
{
    double count = 0;
    if (resource->type == MESOS__V1__VALUE__TYPE__SCALAR)
        return resource->scalar->value;
    if (resource->type == MESOS__V1__VALUE__TYPE__SET)
        return (double)resource->set->n_item;
    for (size_t i = 0; i < resource->ranges->n_range; i++)
        count += (double)(resource->ranges->range[i]->end - resource->ranges->range[i]->begin) + 1;
    return count;
}

double resources_quantity(const struct resources *list, const char *name)
{
    double sum = 0;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i]->name, name) == 0)
            sum += quantity(list->items[i]);
    return sum;
}

static void drop_allocation(Resource *resource)
{
    Mesos__V1__Resource__AllocationInfo *info = resource->allocation_info;
    resource->allocation_info = NULL;
    if (info != NULL && info->base.n_unknown_fields > 0) {
        protobuf_c_message_free_unpacked(&info->base, NULL);
    } else if (info != NULL) {
        free(info->role);
        free(info);
    }
}

static void allocate(Resource *resource, const char *role)
{
    static const Mesos__V1__Resource__AllocationInfo blank =
        MESOS__V1__RESOURCE__ALLOCATION_INFO__INIT;
    drop_allocation(resource);
    if (role == NULL)
        return;
    resource->allocation_info = memory_resize(NULL, sizeof blank);
    *resource->allocation_info = blank;
    resource->allocation_info->role = memory_string(role);
}

void resources_allocate(struct resources *list, const char *role)
{
    for (size_t i = 0; i < list->count; i++)
        allocate(list->items[i], role);
}

void resources_view_unallocated(struct resources *view, const struct resources *list)
{
    size_t size = list->count * (sizeof(Resource *) + sizeof(Resource));
    *view = (struct resources){.items = memory_resize(NULL, size)};
    Resource *entries = (Resource *)(view->items + list->count);
    for (; view->count < list->count; view->count++) {
        Resource *entry = &entries[view->count];
        *entry = *list->items[view->count];
        entry->allocation_info = NULL;
        view->items[view->count] = entry;
    }
}
