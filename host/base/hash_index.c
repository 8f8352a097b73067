// SPDX-License-Identifier: Apache-2.0
//
// An index from hashes to the numbers of records: see hash_index.h. An entry lies in the first free
// slot from that of its hash on; a removed entry leaves no mark, since the entries behind it move
// up.

#include "base/hash_index.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_LEAST = 64 };

// Eight bytes a step.
uint64_t hash_index_hash(struct slice id)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ id.length, word;
    size_t at = 0;
    for (; at + sizeof word <= id.length; at += sizeof word) {
        memcpy(&word, id.data + at, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    word = 0;
    if (at < id.length)
        memcpy(&word, id.data + at, id.length - at);
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

void hash_index_clear(struct hash_index *index)
{
    free(index->entries);
    *index = (struct hash_index){.entries = NULL};
}

static void put(struct hash_index *index, struct hash_entry entry)
{
    size_t at = entry.hash;
    while (index->entries[at & (index->capacity - 1)].number != HASH_INDEX_NONE)
        at++;
    index->entries[at & (index->capacity - 1)] = entry;
}

static void resize(struct hash_index *index, size_t capacity)
{
    struct hash_entry *old = index->entries;
    size_t count = index->capacity;
    index->entries = memory_new(capacity * sizeof *index->entries);
    memset(index->entries, 0xff, capacity * sizeof *index->entries);
    index->capacity = capacity;
    for (size_t i = 0; i < count; i++)
        if (old[i].number != HASH_INDEX_NONE)
            put(index, old[i]);
    free(old);
}

void hash_index_add(struct hash_index *index, uint32_t hash, uint32_t number)
{
    if (4 * (index->count + 1) > 3 * index->capacity)
        resize(index, index->capacity ? 2 * index->capacity : CAPACITY_LEAST);
    put(index, (struct hash_entry){.hash = hash, .number = number});
    index->count++;
}

void hash_index_remove(struct hash_index *index, uint32_t hash, uint32_t number)
{
    struct hash_entry *entries = index->entries;
    size_t mask = index->capacity - 1, gap = hash & mask;
    while (entries[gap].number != number)
        gap = (gap + 1) & mask;
    for (size_t i = (gap + 1) & mask; entries[i].number != HASH_INDEX_NONE; i = (i + 1) & mask) {
        size_t home = entries[i].hash & mask;
        if (((i - home) & mask) >= ((i - gap) & mask)) {
            entries[gap] = entries[i];
            gap = i;
        }
    }
    entries[gap].number = HASH_INDEX_NONE;
    index->count--;
}
