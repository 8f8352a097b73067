// SPDX-License-Identifier: Apache-2.0
//
// A list of resources in little memory: most lists of a cluster, such as those of running tasks,
// are looked at when they begin and when they end, and take a tenth as bytes.

#ifndef MESOS_LUA_OFFERS_RESOURCES_PACKED_H
#define MESOS_LUA_OFFERS_RESOURCES_PACKED_H

#include "offers/resources.h"

#include <stdint.h>

// One block; free() it.
struct resources_packed {
    uint32_t length;
    uint8_t data[]; // each resource as a message, with its length in four bytes before it
};

struct resources_packed *resources_packed_make(const struct resources *list);

// The list again, entry by entry. `to` is overwritten, and the caller's.
void resources_packed_open(struct resources *to, const struct resources_packed *packed);

#endif
