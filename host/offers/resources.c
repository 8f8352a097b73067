// SPDX-License-Identifier: Apache-2.0
//
// Lists of resources, and the two formats of a resource in messages; see the header for what always
// holds. The list functions find the entry of the same kind and leave its value to
// resource_values.c.

#include "offers/resources_internal.h"

#include "base/memory.h"
#include "offers/role_name.h"
#include "wire/message_copy.h"

#include <stdlib.h>
#include <string.h>

// Fields that the newer format replaces are read and written here on purpose.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

// ---- copies and comparison ----

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

static Resource *copy_resource(const Resource *resource)
{
    return message_copy(&resource->base);
}

void resource_free(Resource *resource)
{
    if (resource != NULL)
        mesos__v1__resource__free_unpacked(resource, NULL);
}

// ---- kinds ----

static bool text_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

const char *resources_allocation_role(const Resource *resource)
{
    return resource->allocation_info ? resource->allocation_info->role : NULL;
}

static bool same_reservations(const Resource *a, const Resource *b)
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
    return a->type == b->type && strcmp(a->name, b->name) == 0 &&
           text_equal(resources_allocation_role(a), resources_allocation_role(b)) &&
           same_reservations(a, b) && SAME_MESSAGE(a, b, disk) && SAME_MESSAGE(a, b, provider_id) &&
           !a->revocable == !b->revocable && !a->shared == !b->shared;
}

static Resource *find_kind(const struct resources *list, const Resource *like)
{
    for (size_t i = 0; i < list->count; i++)
        if (same_kind(list->items[i], like))
            return list->items[i];
    return NULL;
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
    for (size_t i = 0; i < from->count; i++)
        append(to, copy_resource(from->items[i]));
}

void resources_put(struct resources *list, Resource *resource)
{
    Resource *same = find_kind(list, resource);
    if (resource_values_of(resource)->empty(resource)) {
        resource_free(resource);
    } else if (same != NULL) {
        resource_values_of(resource)->add(same, resource);
        resource_free(resource);
    } else {
        append(list, resource);
    }
}

void resources_add(struct resources *list, const struct resources *more)
{
    for (size_t i = 0; i < more->count; i++)
        resources_put(list, copy_resource(more->items[i]));
}

void resources_subtract(struct resources *list, const struct resources *less)
{
    for (size_t i = 0; i < less->count; i++) {
        Resource *same = find_kind(list, less->items[i]);
        if (same != NULL)
            resource_values_of(same)->subtract(same, less->items[i]);
    }
    drop_empty(list);
}

bool resources_contain(const struct resources *list, const struct resources *part)
{
    for (size_t i = 0; i < part->count; i++) {
        const Resource *same = find_kind(list, part->items[i]);
        if (same == NULL || !resource_values_of(same)->contains(same, part->items[i]))
            return false;
    }
    return true;
}

double resources_scalar(const struct resources *list, const char *name)
{
    int64_t sum = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->type == MESOS__V1__VALUE__TYPE__SCALAR &&
            strcmp(list->items[i]->name, name) == 0)
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

static void allocate(Resource *resource, const char *role)
{
    if (resource->allocation_info != NULL)
        protobuf_c_message_free_unpacked(&resource->allocation_info->base, NULL);
    resource->allocation_info = NULL;
    if (role == NULL)
        return;
    resource->allocation_info = memory_new(sizeof *resource->allocation_info);
    mesos__v1__resource__allocation_info__init(resource->allocation_info);
    resource->allocation_info->role = memory_string(role);
}

void resources_allocate(struct resources *list, const char *role)
{
    for (size_t i = 0; i < list->count; i++)
        allocate(list->items[i], role);
}

const char *resources_reserved_role(const Resource *resource)
{
    return resource->n_reservations ? resource->reservations[resource->n_reservations - 1]->role
                                    : NULL;
}

static bool role_within(const char *role, const char *outer)
{
    return strcmp(role, outer) == 0 || role_name_below(role, outer);
}

void resources_add_for_role(struct resources *to, const struct resources *from, const char *role)
{
    for (size_t i = 0; i < from->count; i++) {
        const char *reserved = resources_reserved_role(from->items[i]);
        if (reserved == NULL || role_within(role, reserved))
            resources_put(to, copy_resource(from->items[i]));
    }
}

// ---- messages ----

void resources_reserve(Resource *resource, const char *role, size_t length)
{
    Reservation *reservation = memory_new(sizeof *reservation);
    mesos__v1__resource__reservation_info__init(reservation);
    reservation->has_type = true;
    reservation->type = MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__STATIC;
    reservation->role = memory_text(role, length);
    resource->reservations = memory_new(sizeof(Reservation *));
    resource->reservations[0] = reservation;
    resource->n_reservations = 1;
}

static bool has_old_role(const Resource *resource)
{
    return resource->role != NULL && strcmp(resource->role, "*") != 0;
}

static void drop_role(Resource *resource)
{
    if (resource->role != mesos__v1__resource__role__default_value)
        free(resource->role);
    resource->role = mesos__v1__resource__role__default_value;
}

// The old `role` and `reservation` become the one entry of `reservations`.
static void upgrade(Resource *resource)
{
    if (has_old_role(resource) && resource->n_reservations == 0) {
        resources_reserve(resource, resource->role, strlen(resource->role));
        Reservation *to = resource->reservations[0], *from = resource->reservation;
        if (from != NULL) {
            to->type = MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__DYNAMIC;
            to->principal = from->principal;
            to->labels = from->labels;
            from->principal = NULL;
            from->labels = NULL;
        }
    }
    if (resource->reservation != NULL)
        protobuf_c_message_free_unpacked(&resource->reservation->base, NULL);
    resource->reservation = NULL;
    drop_role(resource);
}

void resources_add_message(struct resources *list, const Resource *resource)
{
    Resource *copy = copy_resource(resource);
    upgrade(copy);
    resource_values_of(copy)->normalise(copy);
    resources_put(list, copy);
}

bool resource_downgrade(Resource *resource)
{
    if (resource->n_reservations > 1)
        return false;
    drop_role(resource);
    if (resource->n_reservations == 0) {
        resource->role = memory_string("*");
        return true;
    }
    Reservation *reservation = resource->reservations[0];
    resource->role = reservation->role;
    reservation->role = NULL;
    if (reservation->type == MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__DYNAMIC) {
        reservation->has_type = false;
        resource->reservation = reservation;
    } else {
        protobuf_c_message_free_unpacked(&reservation->base, NULL);
    }
    free(resource->reservations);
    resource->reservations = NULL;
    resource->n_reservations = 0;
    return true;
}
