// SPDX-License-Identifier: Apache-2.0
//
// A hash map from names to things. Its entries are members of the things; it owns only its slots.
// Keys are borrowed from the thing, which must remove its entry before it is freed.

#ifndef MESOS_LUA_BASE_STRING_MAP_H
#define MESOS_LUA_BASE_STRING_MAP_H

#include <stddef.h>
#include <stdint.h>

struct string_map_entry {
    struct string_map_entry *next;
    uint64_t hash;
    const char *key;
    void *thing;
};

// A zeroed struct is an empty map.
struct string_map {
    struct string_map_entry **slots;
    size_t capacity, count;
};

void string_map_put(struct string_map *map, struct string_map_entry *entry, const char *key,
                    void *thing);
void *string_map_find(const struct string_map *map, const char *key); // NULL: there is none
void string_map_remove(struct string_map *map, struct string_map_entry *entry);
void string_map_free(struct string_map *map); // the slots, not the things

#endif
