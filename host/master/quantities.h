// SPDX-License-Identifier: Apache-2.0
//
// Amounts of scalar resources by name, for shares and quota: in thousandths, as Mesos computes. A
// name has a number in the table of its master, so that sums are sums of arrays. cpus, disk, gpus
// and mem are always in the table; it has room for QUANTITIES_NAMES, and the cluster's agents have
// no more (quantities_names_fit).

#ifndef MESOS_LUA_MASTER_QUANTITIES_H
#define MESOS_LUA_MASTER_QUANTITIES_H

#include "offers/resources.h"

#define QUANTITIES_NAMES 16

// The numbers of the names that are always in the table.
enum { QUANTITIES_CPUS, QUANTITIES_DISK, QUANTITIES_GPUS, QUANTITIES_MEM, QUANTITIES_KNOWN };

struct quantity_names {
    char *names[QUANTITIES_NAMES];
    size_t count;
};

// A zeroed struct is nothing.
struct quantities {
    int64_t amount[QUANTITIES_NAMES];
};

// Which resources are counted. Revocable ones count neither as free nor as reserved.
enum quantities_kind {
    QUANTITIES_ALL,
    QUANTITIES_FREE,     // not reserved, not revocable: what quota is about
    QUANTITIES_RESERVED, // to the role or to one below it
};

void quantities_names_init(struct quantity_names *names);
void quantities_names_free(struct quantity_names *names);

// The number of a name, or -1 if it is not in the table.
int quantities_number(const struct quantity_names *names, const char *name);

// The same; a new name is added. -1 if the table is full.
int quantities_add_name(struct quantity_names *names, const char *name);

// Drops the names that were added last, which nothing refers to, until `count` are left.
void quantities_names_cut(struct quantity_names *names, size_t count);

// Adds the names of all scalars of the list. False, and an error that names the first without room.
bool quantities_add_names(struct quantity_names *names, const struct resources *list,
                          struct error *err);

bool quantities_counts(const Mesos__V1__Resource *resource, enum quantities_kind kind);
struct quantities quantities_of(const struct quantity_names *names, const struct resources *list,
                                enum quantities_kind kind);

int64_t quantities_thousandths(double value);

// What is too much to count stays the most that can be counted.
static inline void quantities_add_amount(int64_t *to, int64_t more)
{
    if (__builtin_add_overflow(*to, more, to))
        *to = INT64_MAX;
}

void quantities_add(struct quantities *to, const struct quantities *more);
void quantities_subtract(struct quantities *from, const struct quantities *less);
struct quantities quantities_rest(const struct quantities *whole,
                                  const struct quantities *part); // down to nothing
bool quantities_empty(const struct quantities *quantities);
bool quantities_contain(const struct quantities *whole, const struct quantities *part);

// As Mesos writes them: "cpus:1; mem:32", in the order of the names, or "{}". free() it.
char *quantities_text(const struct quantity_names *names, const struct quantities *quantities);

#endif
