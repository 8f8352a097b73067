// SPDX-License-Identifier: Apache-2.0
//
// Lists of resources: of an agent, an offer, a task. Arithmetic, comparison, and the two text forms
// of Mesos: the one that people write ("cpus:4;ports:[31000-32000]") and
// the one of its messages ("cpus(allocated: web):4; ports(allocated: web):[31000-32000]").
//
// A list owns its resources. It is kept normal: resources of one kind (name, type, reservation,
// allocation, disk...) are one entry, scalars have three decimals (Mesos computes in thousandths,
// so 0.1 ten times is 1), ranges are sorted and disjoint, set items are unique, and what is
// empty is absent. What is used whole is an entry of its own, whatever else the list has:
// persistent volumes, disks that are one device, and each copy of a shared resource. Entries are in
// the format of RESERVATION_REFINEMENT: `role` is not set and a reservation is an entry of
// `reservations`. What comes from outside is brought into this form by resources_add_message() and
// goes back to the older one with resource_downgrade().

#ifndef MESOS_LUA_OFFERS_RESOURCES_H
#define MESOS_LUA_OFFERS_RESOURCES_H

#include "base/error.h"

#include "mesos/v1/mesos.pb-c.h"

struct resources {
    Mesos__V1__Resource **items;
    size_t count;
};

// ---- lists; a zeroed struct is the empty list ----

void resources_free(struct resources *list); // empties it; it can be used again
void resources_copy(struct resources *to, const struct resources *from); // `to` is overwritten

void resources_add(struct resources *list, const struct resources *more);
void resources_subtract(struct resources *list, const struct resources *less); // down to nothing
bool resources_contain(const struct resources *list, const struct resources *part);

// As the functions above, but shared resources are passed over.
void resources_add_unshared(struct resources *list, const struct resources *more);
void resources_subtract_unshared(struct resources *list, const struct resources *less);

size_t resources_copies(const struct resources *list,
                        const Mesos__V1__Resource *like); // entries that are equal to it

double resources_scalar(const struct resources *list, const char *name); // over all kinds of it
double resources_quantity(const struct resources *list,
                          const char *name); // ports, for example, are counted

// Allocates every entry to `role`, or, with NULL, to none.
void resources_allocate(struct resources *list, const char *role);

// The entries of a list without their allocations, which share what these point to: it can only be
// read, and as long as they are there. free() `items`; `view` is overwritten.
void resources_view_unallocated(struct resources *view, const struct resources *list);

// ---- text ----

// "name:value" or "name(role):value" with ";" between; a value is a number, "[begin-end,...]" or
// "{item,...}". Resources without a role in parentheses are reserved to `role`, which is NULL or
// "*" for unreserved ones; a "{REV}" before the ":" makes them revocable. A name that comes twice
// adds up, and what is 0 or empty is absent. The error names the piece that is wrong, which may be
// a misspelt name of a resource that every agent has.
bool resources_parse(struct resources *list, const char *text, const char *role, struct error *err);

// True if such a text has a resource of that name, even if it is 0.
bool resources_parse_has(const char *text, const char *name);

char *resources_text(const struct resources *list);     // what resources_parse() reads; free() it
char *resources_describe(const struct resources *list); // as Mesos writes it in messages; free() it

// ---- messages of either format ----

// Validates a resource of a message. The error has Mesos's words, for example "Resource 'cpus:-1'
// is invalid: Invalid scalar resource: value <= 0". A value of 0 is valid, and the same as no
// resource.
bool resource_check(const Mesos__V1__Resource *resource, struct error *err);

// Adds a resource that passed resource_check().
void resources_add_message(struct resources *list, const Mesos__V1__Resource *resource);

// The same, and it is allocated to the role unless it names one.
void resources_add_message_for(struct resources *list, const Mesos__V1__Resource *resource,
                               const char *role);

// True if these resources of a message, each of which passed resource_check(), are what a list of
// them would have: scalars of different names, unreserved and allocated, none of them empty. Then
// they can be read as a list, as they are. False of others, whatever they are.
bool resources_are_normal(Mesos__V1__Resource *const *items, size_t count);

void resource_free(Mesos__V1__Resource *resource);

char *resource_describe(const Mesos__V1__Resource *resource); // as Mesos writes it; free() it

// Converts it to the format of RESERVATION_REFINEMENT, in place. It passed resource_check().
void resource_upgrade(Mesos__V1__Resource *resource);

// Of a resource in that format.
const char *resource_reserved_role(const Mesos__V1__Resource *resource);   // or NULL
const char *resource_allocation_role(const Mesos__V1__Resource *resource); // or NULL
bool resource_is_dynamic(const Mesos__V1__Resource *resource); // its last reservation was made by
                                                               // an operation
bool resource_is_volume(const Mesos__V1__Resource *resource);  // a persistent one
void resource_pop_reservation(Mesos__V1__Resource *resource);  // drops the last; it has one
bool resource_same_reservations(const Mesos__V1__Resource *a, const Mesos__V1__Resource *b);

// A new resource: the disk that a volume lies on, not shared.
Mesos__V1__Resource *resource_without_volume(const Mesos__V1__Resource *volume);

// Converts it to the format of a framework without RESERVATION_REFINEMENT: the reservation becomes
// `role` and `reservation`, and `role` is "*" for what is not reserved. False, and unchanged, if
// the reservation is a refined one, which that format does not have.
bool resource_downgrade(Mesos__V1__Resource *resource);

#endif
