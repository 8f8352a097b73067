// SPDX-License-Identifier: Apache-2.0
//
// Single resources in the two formats of messages, and their reservations: see resources.h.

#include "offers/resources_internal.h"

#include "base/memory.h"
#include "wire/message_copy.h"

#include <stdlib.h>
#include <string.h>

// Fields that the newer format replaces are read and written here on purpose.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

void resource_reserve(Resource *resource, const char *role, size_t length)
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
void resource_upgrade(Resource *resource)
{
    if (has_old_role(resource) && resource->n_reservations == 0) {
        resource_reserve(resource, resource->role, strlen(resource->role));
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

static void add(struct resources *list, const Resource *resource, const char *role)
{
    Resource *copy = resource_copy(resource);
    resource_upgrade(copy);
    resource_values_of(copy)->normalise(copy);
    if (role != NULL && resource_allocation_role(copy) == NULL)
        resources_allocate(&(struct resources){&copy, 1}, role);
    resources_put(list, copy);
}

void resources_add_message(struct resources *list, const Resource *resource)
{
    add(list, resource, NULL);
}

void resources_add_message_for(struct resources *list, const Resource *resource, const char *role)
{
    add(list, resource, role);
}

static bool is_normal(const Resource *resource)
{
    return resource->type == MESOS__V1__VALUE__TYPE__SCALAR && resource->scalar != NULL &&
           resource->allocation_info != NULL && resource_is_simple(resource) &&
           resource_values_is_normal(resource);
}

bool resources_are_normal(Resource *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_normal(items[i]))
            return false;
        for (size_t j = 0; j < i; j++)
            if (strcmp(items[i]->name, items[j]->name) == 0)
                return false;
    }
    return true;
}

// ---- reservations ----

bool resource_is_dynamic(const Resource *resource)
{
    size_t count = resource->n_reservations;
    return count > 0 && resource->reservations[count - 1]->type ==
                            MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__DYNAMIC;
}

bool resource_is_volume(const Resource *resource)
{
    return resource->disk != NULL && resource->disk->persistence != NULL;
}

void resource_pop_reservation(Resource *resource)
{
    Reservation *last = resource->reservations[--resource->n_reservations];
    protobuf_c_message_free_unpacked(&last->base, NULL);
    if (resource->n_reservations > 0)
        return;
    free(resource->reservations);
    resource->reservations = NULL;
}

// ---- volumes ----

Resource *resource_without_volume(const Resource *volume)
{
    Resource *disk = message_copy(&volume->base);
    Mesos__V1__Resource__DiskInfo *info = disk->disk;
    if (info != NULL && info->source != NULL) {
        if (info->persistence != NULL)
            protobuf_c_message_free_unpacked(&info->persistence->base, NULL);
        if (info->volume != NULL)
            protobuf_c_message_free_unpacked(&info->volume->base, NULL);
        info->persistence = NULL;
        info->volume = NULL;
    } else if (info != NULL) {
        protobuf_c_message_free_unpacked(&info->base, NULL);
        disk->disk = NULL;
    }
    if (disk->shared != NULL)
        protobuf_c_message_free_unpacked(&disk->shared->base, NULL);
    disk->shared = NULL;
    return disk;
}

// ---- the older format ----

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
