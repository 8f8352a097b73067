// SPDX-License-Identifier: Apache-2.0
//
// The inside of lists of resources, for their own files only: resource_values.c (one value),
// resource_copy.c (one resource), resources.c (lists), resource_formats.c (one resource),
// resources_parse.c and resources_text.c (the text forms). Each may call those before it in this
// list.

#ifndef MESOS_LUA_OFFERS_RESOURCES_INTERNAL_H
#define MESOS_LUA_OFFERS_RESOURCES_INTERNAL_H

#include "base/buffer.h"
#include "offers/resources.h"

typedef Mesos__V1__Resource Resource;
typedef Mesos__V1__Resource__ReservationInfo Reservation;

// The mark of revocable resources in texts, behind the name, as Mesos writes it.
#define REVOCABLE "{REV}"

// ---- resource_values.c ----

// The arithmetic of a type of value: scalar, ranges or set. Both resources have that type.
struct resource_values {
    void (*add)(Resource *to, const Resource *more);
    void (*subtract)(Resource *from, const Resource *less); // down to nothing
    bool (*contains)(const Resource *whole, const Resource *part);
    bool (*empty)(const Resource *resource);
    void (*normalise)(Resource *resource);
    void (*write)(const Resource *resource, struct buffer *out); // the text form of the value
};

const struct resource_values *resource_values_of(const Resource *resource);

int64_t resource_values_thousandths(const Resource *resource); // of a scalar
bool resource_values_is_normal(const Resource *resource);      // the same; it is not empty, either

// Neither looks for what is there already: the resource is normalised later. `item` is handed over.
void resource_values_add_range(Mesos__V1__Value__Ranges *ranges, uint64_t begin, uint64_t end);
void resource_values_add_item(Mesos__V1__Value__Set *set, char *item);

// ---- resource_copy.c ----

Resource *resource_copy(const Resource *resource);

// An unreserved scalar or ranges without disk, provider, or anything else that tells it from others
// of its name, but for its allocation.
bool resource_is_plain(const Resource *resource);

// The same, and no part of it has an unknown field: it can be handled without descriptors.
bool resource_is_simple(const Resource *resource);

// ---- resources.c ----

// Adds a normal resource, which is handed over.
void resources_put(struct resources *list, Resource *resource);

bool resources_equal_entries(const Resource *a, const Resource *b); // of one kind and one value

// ---- resource_formats.c ----

// Reserves, statically, a resource that has no reservation.
void resource_reserve(Resource *resource, const char *role, size_t length);

#endif
