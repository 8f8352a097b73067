// SPDX-License-Identifier: Apache-2.0
//
// A chained hash table that doubles when it is full.

#include "base/string_map.h"

#include "base/hash_index.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const char *key)
{
    return hash_index_hash(slice_text(key));
}

static struct string_map_entry **slot_of(const struct string_map *map, uint64_t hash)
{
    return &map->slots[hash & (map->capacity - 1)];
}

static void insert(struct string_map *map, struct string_map_entry *entry)
{
    struct string_map_entry **slot = slot_of(map, entry->hash);
    entry->next = *slot;
    *slot = entry;
}

static void grow(struct string_map *map)
{
    struct string_map old = *map;
    map->capacity = old.capacity ? 2 * old.capacity : 16;
    map->slots = memory_new(map->capacity * sizeof *map->slots);
    for (size_t i = 0; i < old.capacity; i++) {
        for (struct string_map_entry *entry = old.slots[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            insert(map, entry);
        }
    }
    free(old.slots);
}

void string_map_put(struct string_map *map, struct string_map_entry *entry, const char *key,
                    void *thing)
{
    if (map->count == map->capacity)
        grow(map);
    *entry = (struct string_map_entry){.hash = hash_of(key), .key = key, .thing = thing};
    insert(map, entry);
    map->count++;
}

void *string_map_find(const struct string_map *map, const char *key)
{
    if (map->count == 0)
        return NULL;
    uint64_t hash = hash_of(key);
    for (struct string_map_entry *entry = *slot_of(map, hash); entry != NULL; entry = entry->next)
        if (entry->hash == hash && strcmp(entry->key, key) == 0)
            return entry->thing;
    return NULL;
}

void string_map_remove(struct string_map *map, struct string_map_entry *entry)
{
    struct string_map_entry **link = slot_of(map, entry->hash);
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    map->count--;
}

void string_map_free(struct string_map *map)
{
    free(map->slots);
    *map = (struct string_map){0};
}
