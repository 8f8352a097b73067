// SPDX-License-Identifier: Apache-2.0
//
// A chained hash table that doubles when it is full; the hash is FNV-1a.

#include "cluster/table.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const char *key)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * UINT64_C(1099511628211);
    return hash;
}

static struct table_entry **slot_of(const struct table *table, uint64_t hash)
{
    return &table->slots[hash & (table->capacity - 1)];
}

static void insert(struct table *table, struct table_entry *entry)
{
    struct table_entry **slot = slot_of(table, entry->hash);
    entry->next = *slot;
    *slot = entry;
}

static void grow(struct table *table)
{
    struct table old = *table;
    table->capacity = old.capacity ? 2 * old.capacity : 16;
    table->slots = memory_new(table->capacity * sizeof *table->slots);
    for (size_t i = 0; i < old.capacity; i++) {
        for (struct table_entry *entry = old.slots[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            insert(table, entry);
        }
    }
    free(old.slots);
}

void table_put(struct table *table, struct table_entry *entry, const char *key, void *thing)
{
    if (table->count == table->capacity)
        grow(table);
    *entry = (struct table_entry){.hash = hash_of(key), .key = key, .thing = thing};
    insert(table, entry);
    table->count++;
}

void *table_find(const struct table *table, const char *key)
{
    if (table->count == 0)
        return NULL;
    uint64_t hash = hash_of(key);
    for (struct table_entry *entry = *slot_of(table, hash); entry != NULL; entry = entry->next)
        if (entry->hash == hash && strcmp(entry->key, key) == 0)
            return entry->thing;
    return NULL;
}

void table_remove(struct table *table, struct table_entry *entry)
{
    struct table_entry **link = slot_of(table, entry->hash);
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    table->count--;
}

void table_free(struct table *table)
{
    free(table->slots);
    *table = (struct table){0};
}
