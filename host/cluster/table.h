// SPDX-License-Identifier: Apache-2.0
//
// Finding things by name: a hash table of entries that lie inside the things themselves. It owns
// only its slots. Keys are borrowed from the thing, which must take its entry out before it goes.

#ifndef MESOS_LUA_CLUSTER_TABLE_H
#define MESOS_LUA_CLUSTER_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_entry {
    struct table_entry *next;
    uint64_t hash;
    const char *key;
    void *thing;
};

// A zeroed struct is an empty table.
struct table {
    struct table_entry **slots;
    size_t capacity, count;
};

void table_put(struct table *table, struct table_entry *entry, const char *key, void *thing);
void *table_find(const struct table *table, const char *key); // NULL: not there
void table_remove(struct table *table, struct table_entry *entry);
void table_free(struct table *table); // the slots; things are not touched

#endif
