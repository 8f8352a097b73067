// SPDX-License-Identifier: Apache-2.0
//
// Counting what lists of resources are; see the header.

#include "master/quantities_charge.h"

#include "base/memory.h"

#include <stdlib.h>

static bool is_open(const Mesos__V1__Resource *resource)
{
    return resource->n_reservations == 0 && resource->revocable == NULL && resource->shared == NULL;
}

// False if the list is not open.
static bool count_open(struct quantities_charge *charge, const struct quantity_names *names,
                       const struct resources *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const Mesos__V1__Resource *resource = list->items[i];
        if (!is_open(resource))
            return false;
        if (!quantities_counts(resource, QUANTITIES_ALL))
            continue;
        int number = quantities_number(names, resource->name);
        if (number < 0 || number >= QUANTITIES_KNOWN)
            return false;
        quantities_add_amount(&charge->open[number],
                              quantities_thousandths(resource->scalar->value));
    }
    return true;
}

void quantities_charge_of(struct quantities_charge *charge, const struct quantity_names *names,
                          const struct resources *list)
{
    *charge = (struct quantities_charge){.closed = NULL};
    if (count_open(charge, names, list))
        return;
    *charge = (struct quantities_charge){.closed = memory_new(sizeof *charge->closed)};
    charge->closed->all = quantities_of(names, list, QUANTITIES_ALL);
    charge->closed->free = quantities_of(names, list, QUANTITIES_FREE);
}

void quantities_charge_free_closed(struct quantities_charge *charge)
{
    free(charge->closed);
    charge->closed = NULL;
}
