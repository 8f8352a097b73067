// SPDX-License-Identifier: Apache-2.0
//
// What an operation on resources (RESERVE, UNRESERVE, CREATE, DESTROY, GROW_VOLUME, SHRINK_VOLUME)
// turns into what. The operation's resources passed resource_check() and are in the format of
// RESERVATION_REFINEMENT.

#ifndef MESOS_LUA_OFFERS_RESOURCE_CONVERSIONS_H
#define MESOS_LUA_OFFERS_RESOURCE_CONVERSIONS_H

#include "offers/resources.h"

struct resource_conversion {
    struct resources consumed, converted;
    bool ends; // no copy of what is consumed may be left: a volume is destroyed
};

struct resource_conversions {
    struct resource_conversion *items;
    size_t count;
};

enum { RESOURCE_LISTS = 2 };

// The resources that an operation names, also CREATE_DISK and DESTROY_DISK: up to RESOURCE_LISTS
// lists, which are the operation's own. Returns how many. None if the message of its type is
// missing, or it launches tasks.
size_t resource_conversions_lists(const Mesos__V1__Offer__Operation *operation,
                                  struct resources lists[RESOURCE_LISTS]);

// The conversions of the operation; none for any other type. Free them.
void resource_conversions_find(struct resource_conversions *conversions,
                               const Mesos__V1__Offer__Operation *operation);
void resource_conversions_free(struct resource_conversions *conversions);

void resource_conversions_consumed(const struct resource_conversions *conversions,
                                   struct resources *all); // added to `all`

// Carries them out one after another. NULL; or what is wrong, in Mesos's words, and the list is
// unchanged. free() the text.
char *resource_conversions_apply(const struct resource_conversions *conversions,
                                 struct resources *list);

#endif
