// SPDX-License-Identifier: Apache-2.0
//
// The rules that a single resource has to keep, in the order and the words of Mesos, which clients
// match on; see resources.h. Two formats of reservations are in use: the older one has `role` and
// `reservation`, that of RESERVATION_REFINEMENT has `reservations`, and what sets both must not
// contradict itself.

#include "offers/resources.h"

#include "offers/role_name.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Fields that the newer format replaces are read here on purpose.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

typedef Mesos__V1__Resource Resource;
typedef Mesos__V1__Resource__ReservationInfo Reservation;
typedef Mesos__V1__Resource__DiskInfo__Source Source;
typedef Mesos__V1__Value__Ranges Ranges;

#define RESERVATION_TYPE(NAME) MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__##NAME
#define SOURCE_TYPE(NAME) MESOS__V1__RESOURCE__DISK_INFO__SOURCE__TYPE__##NAME

// The comparison of all pairs, of which a message of many megabytes would have too many.
#define PAIRS_LIMIT 1000

static bool fault(struct error *err, const char *text)
{
    return error_set(err, ERROR_INVALID, "%s", text);
}

// ---- values ----

// Mesos counts in thousandths of 64 bits; NaN and what does not fit come out below 0 there.
static bool check_scalar(const Resource *resource, struct error *err)
{
    if (resource->scalar == NULL || resource->ranges != NULL || resource->set != NULL)
        return fault(err, "Invalid scalar resource");
    double value = resource->scalar->value;
    if (value == 0)
        return true;
    if (!isfinite(value) || fabs(value) > 9.2e15 || llround(value * 1000) <= 0)
        return fault(err, "Invalid scalar resource: value <= 0");
    return true;
}

static bool overlaps_later(const Ranges *ranges, size_t i)
{
    const Mesos__V1__Value__Range *range = ranges->range[i];
    for (size_t j = i + 1; j < ranges->n_range && j - i <= PAIRS_LIMIT; j++)
        if (range->begin <= ranges->range[j]->begin && ranges->range[j]->begin <= range->end)
            return true;
    return false;
}

static bool check_ranges(const Resource *resource, struct error *err)
{
    const Ranges *ranges = resource->ranges;
    if (resource->scalar != NULL || ranges == NULL || resource->set != NULL)
        return fault(err, "Invalid ranges resource");
    for (size_t i = 0; i < ranges->n_range; i++) {
        if (ranges->range[i]->begin > ranges->range[i]->end)
            return fault(err, "Invalid ranges resource: begin > end");
        if (overlaps_later(ranges, i))
            return fault(err, "Invalid ranges resource: overlapping ranges");
    }
    return true;
}

static bool repeats_later(const Mesos__V1__Value__Set *set, size_t i)
{
    for (size_t j = i + 1; j < set->n_item && j - i <= PAIRS_LIMIT; j++)
        if (strcmp(set->item[i], set->item[j]) == 0)
            return true;
    return false;
}

static bool check_set(const Resource *resource, struct error *err)
{
    const Mesos__V1__Value__Set *set = resource->set;
    if (resource->scalar != NULL || resource->ranges != NULL || set == NULL)
        return fault(err, "Invalid set resource");
    for (size_t i = 0; i < set->n_item; i++)
        if (repeats_later(set, i))
            return fault(err, "Invalid set resource: duplicated elements");
    return true;
}

static bool check_value(const Resource *resource, struct error *err)
{
    static bool (*const checks[])(const Resource *, struct error *) = {
        [MESOS__V1__VALUE__TYPE__SCALAR] = check_scalar,
        [MESOS__V1__VALUE__TYPE__RANGES] = check_ranges,
        [MESOS__V1__VALUE__TYPE__SET] = check_set,
    };
    if (resource->name[0] == '\0')
        return fault(err, "Empty resource name");
    if ((unsigned)resource->type >= sizeof checks / sizeof checks[0])
        return fault(err, "Unsupported resource type");
    return checks[resource->type](resource, err);
}

// ---- disks ----

static bool check_source(const Source *source, struct error *err)
{
    bool whole = source->type == SOURCE_TYPE(BLOCK) || source->type == SOURCE_TYPE(RAW);
    const char *type = source->type == SOURCE_TYPE(RAW) ? "RAW" : "BLOCK";
    if (whole && source->mount != NULL)
        return error_set(err, ERROR_INVALID, "Mount should not be set for %s disk source", type);
    if (whole && source->path != NULL)
        return error_set(err, ERROR_INVALID, "Path should not be set for %s disk source", type);
    bool known = whole || source->type == SOURCE_TYPE(PATH) || source->type == SOURCE_TYPE(MOUNT);
    return known || fault(err, "Unsupported 'DiskInfo.Source.Type' in 'UNKNOWN'");
}

static bool check_disk(const Resource *resource, struct error *err)
{
    if (resource->disk == NULL)
        return true;
    if (strcmp(resource->name, "disk") != 0)
        return error_set(err, ERROR_INVALID, "DiskInfo should not be set for %.200s resource",
                         resource->name);
    return resource->disk->source == NULL || check_source(resource->disk->source, err);
}

// ---- reservations ----

static bool has_role(const Resource *resource)
{
    return resource->role != NULL && resource->role != mesos__v1__resource__role__default_value;
}

static bool check_old_format(const Resource *resource, struct error *err)
{
    const char *role = resource->role ? resource->role : "*";
    const Reservation *reservation = resource->reservation;
    if (!role_name_check(role, err))
        return false;
    if (reservation == NULL)
        return true;
    if (reservation->has_type)
        return fault(err, "'Resource.ReservationInfo.type' must not be set for the "
                          "'Resource.reservation' field");
    if (reservation->role != NULL)
        return fault(err, "'Resource.ReservationInfo.role' must not be set for the "
                          "'Resource.reservation' field");
    return strcmp(role, "*") != 0 ||
           fault(err, "Invalid reservation: role \"*\" cannot be dynamically reserved");
}

static bool check_reservation(const Reservation *reservation, struct error *err)
{
    if (!reservation->has_type)
        return fault(err, "Invalid reservation: 'Resource.ReservationInfo.type' field must be "
                          "set.");
    if (reservation->role == NULL)
        return fault(err, "Invalid reservation: 'Resource.ReservationInfo.role' field must be "
                          "set.");
    if (!role_name_check(reservation->role, err))
        return false;
    return strcmp(reservation->role, "*") != 0 ||
           fault(err, "Invalid reservation: role \"*\" cannot be reserved");
}

// Each reservation but the first is for a role below that of the one in front of it.
static bool check_refinement(const Resource *resource, struct error *err)
{
    for (size_t i = 1; i < resource->n_reservations; i++) {
        const Reservation *outer = resource->reservations[i - 1], *own = resource->reservations[i];
        if (own->type == RESERVATION_TYPE(STATIC))
            return fault(err, "Invalid refined reservation: A refined reservation cannot be "
                              "STATIC");
        if (!role_name_below(own->role, outer->role))
            return error_set(err, ERROR_INVALID,
                             "Invalid refined reservation: role '%.200s' is not a refinement of "
                             "'%.200s'",
                             own->role, outer->role);
    }
    return true;
}

static const char *text_of(const char *text)
{
    return text ? text : "";
}

// The older fields beside a single dynamic reservation.
static bool check_dynamic(const Resource *resource, struct error *err)
{
    const Reservation *old = resource->reservation, *own = resource->reservations[0];
    if (has_role(resource) != (old != NULL))
        return fault(err, "Invalid resource format: 'Resource.role' and 'Resource.reservation' "
                          "must either be both set or both not set if the single reservation in "
                          "'Resource.reservations' is DYNAMIC");
    if (old != NULL && strcmp(text_of(old->principal), text_of(own->principal)) != 0)
        return error_set(err, ERROR_INVALID,
                         "Invalid resource format: 'Resource.reservation.principal' field with "
                         "'%.200s' does not match the principal '%.200s' in "
                         "'Resource.reservations'",
                         text_of(old->principal), text_of(own->principal));
    return true;
}

static bool check_single(const Resource *resource, struct error *err)
{
    const Reservation *own = resource->reservations[0];
    if (has_role(resource) && strcmp(resource->role, own->role) != 0)
        return error_set(err, ERROR_INVALID,
                         "Invalid resource format: 'Resource.role' field with '%.200s' does not "
                         "match the role '%.200s' in 'Resource.reservations'",
                         resource->role, own->role);
    if (own->type == RESERVATION_TYPE(DYNAMIC))
        return check_dynamic(resource, err);
    if (own->type != RESERVATION_TYPE(STATIC))
        return fault(err, "Unsupported 'Resource.ReservationInfo.Type'");
    return resource->reservation == NULL ||
           fault(err, "Invalid resource format: 'Resource.reservation' must not be set if the "
                      "single reservation in 'Resource.reservations' is STATIC");
}

static bool check_several(const Resource *resource, struct error *err)
{
    if (has_role(resource))
        return fault(err, "Invalid resource format: 'Resource.role' must not be set if there is "
                          "more than one reservation in 'Resource.reservations'");
    return resource->reservation == NULL ||
           fault(err, "Invalid resource format: 'Resource.reservation' must not be set if there "
                      "is more than one reservation in 'Resource.reservations'");
}

static bool check_reservations(const Resource *resource, struct error *err)
{
    if (resource->n_reservations == 0)
        return check_old_format(resource, err);
    for (size_t i = 0; i < resource->n_reservations; i++)
        if (!check_reservation(resource->reservations[i], err))
            return false;
    if (!check_refinement(resource, err))
        return false;
    return resource->n_reservations == 1 ? check_single(resource, err)
                                         : check_several(resource, err);
}

static bool check_shared(const Resource *resource, struct error *err)
{
    if (resource->shared == NULL)
        return true;
    if (strcmp(resource->name, "disk") != 0)
        return error_set(err, ERROR_INVALID, "Resource %.200s cannot be shared", resource->name);
    return (resource->disk != NULL && resource->disk->persistence != NULL) ||
           fault(err, "Only persistent volumes can be shared");
}

bool resource_check(const Resource *resource, struct error *err)
{
    if (check_value(resource, err) && check_disk(resource, err) &&
        check_reservations(resource, err) && check_shared(resource, err))
        return true;
    char *text = resource_describe(resource);
    error_context(err, "Resource '%.600s' is invalid", text);
    free(text);
    return false;
}
