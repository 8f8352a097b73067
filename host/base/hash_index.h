// SPDX-License-Identifier: Apache-2.0
//
// An index from the hash of a key to the number of a record: open addressing, eight bytes an entry,
// at most three quarters full. Keys stay with the records; the caller compares them:
//
//     size_t at = hash;
//     while (hash_index_next(&index, hash, &at, &number))
//         if (is_the_one(number))
//             return number;
//
// One thread.

#ifndef MESOS_LUA_BASE_HASH_INDEX_H
#define MESOS_LUA_BASE_HASH_INDEX_H

#include "base/bytes.h"

#define HASH_INDEX_NONE UINT32_MAX // the number of no record

struct hash_entry {
    uint32_t hash, number;
};

struct hash_index {
    struct hash_entry *entries; // NULL: nothing was ever added
    size_t capacity, count;     // capacity: a power of two
};

// The hash of an id. Ids that differ in the last bytes only are spread well.
uint64_t hash_index_hash(struct slice bytes);

void hash_index_clear(struct hash_index *index); // empties it and returns its memory

// The next record of that hash; `at` is where to go on. False at the end. Nothing may be added or
// removed between two calls.
static inline bool hash_index_next(const struct hash_index *index, uint32_t hash, size_t *at,
                                   uint32_t *number)
{
    if (index->entries == NULL)
        return false;
    for (;;) {
        const struct hash_entry *entry = &index->entries[(*at)++ & (index->capacity - 1)];
        if (entry->number == HASH_INDEX_NONE)
            return false;
        if (entry->hash == hash) {
            *number = entry->number;
            return true;
        }
    }
}

void hash_index_add(struct hash_index *index, uint32_t hash, uint32_t number);
void hash_index_remove(struct hash_index *index, uint32_t hash, uint32_t number); // is in it

#endif
