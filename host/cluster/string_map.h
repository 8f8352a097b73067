// SPDX-License-Identifier: Apache-2.0
//
// Finding things by name: a hash table of entries that lie inside the things themselves. It owns
// only its slots. Keys are borrowed from the thing, which must take its entry out before it goes.

#ifndef MESOS_LUA_CLUSTER_STRING_MAP_H
#define MESOS_LUA_CLUSTER_STRING_MAP_H

#include <stddef.h>
#include <stdint.h>

struct string_map_entry {
    struct string_map_entry *next;
    uint64_t hash;
    const char *key;
    void *thing;
};

// A zeroed struct is an empty table.
struct string_map {
    struct string_map_entry **slots;
    size_t capacity, count;
};

void string_map_put(struct string_map *table, struct string_map_entry *entry, const char *key,
                    void *thing);
void *string_map_find(const struct string_map *table, const char *key); // NULL: not there
void string_map_remove(struct string_map *table, struct string_map_entry *entry);
void string_map_free(struct string_map *table); // the slots; things are not touched

#endif
