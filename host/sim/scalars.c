// SPDX-License-Identifier: Apache-2.0
//
// Amounts of resources; see the header.

#include "sim/scalars.h"

#include <stdbool.h>

const char *const scalars_names[SCALARS] = {"cpus", "mem", "disk", "gpus"};

// So that the sum over a million agents fits into 64 bits: 9 * 10^9 cpus, or 9 PB of memory.
#define MOST INT64_C(9000000000000)

int64_t scalars_thousandths(double value)
{
    if (!(value > 0))
        return 0;
    return value < (double)MOST / 1000 ? (int64_t)(value * 1000 + 0.5) : MOST;
}

// As strcmp(), which would be called for each resource of each offer, and take longer.
static bool is(const char *name, const char *wanted)
{
    while (*name == *wanted && *name != '\0')
        name++, wanted++;
    return *name == *wanted;
}

// The first letters differ.
static int number_of(const char *name)
{
    switch (name[0]) {
    case 'c':
        return is(name, "cpus") ? SCALAR_CPUS : -1;
    case 'm':
        return is(name, "mem") ? SCALAR_MEM : -1;
    case 'd':
        return is(name, "disk") ? SCALAR_DISK : -1;
    case 'g':
        return is(name, "gpus") ? SCALAR_GPUS : -1;
    default:
        return -1;
    }
}

static void add(int64_t *amount, int64_t more)
{
    *amount = *amount < MOST - more ? *amount + more : MOST;
}

struct scalars scalars_of(const struct resources *list)
{
    struct scalars sum = {{0}};
    for (size_t i = 0; i < list->count; i++) {
        const Mesos__V1__Resource *resource = list->items[i];
        int number = resource->scalar != NULL ? number_of(resource->name) : -1;
        if (number >= 0)
            add(&sum.amount[number], scalars_thousandths(resource->scalar->value));
    }
    return sum;
}
