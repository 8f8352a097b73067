// SPDX-License-Identifier: Apache-2.0
//
// The memory of one Lua state: its account, its cap, and blocks from size classes. What a script
// allocates is small and short-lived, and Lua tells the size of what it gives back; so blocks of up
// to ALLOCATOR_SMALL bytes come from slabs of blocks of one size, larger ones from malloc. A slab
// that becomes empty serves any class again, and keeps its pages until allocator_trim().
//
// The account is exact: `used` is the sum of the sizes that Lua asked for, as its own
// collectgarbage("count") has it. Under AddressSanitizer every block comes from malloc, so that it
// sees what is used after it was freed.

#ifndef MESOS_LUA_SCRIPT_ALLOCATOR_H
#define MESOS_LUA_SCRIPT_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>

enum {
    ALLOCATOR_STEP = 16, // a class for every so many bytes
    ALLOCATOR_SMALL = 512,
    ALLOCATOR_CLASSES = ALLOCATOR_SMALL / ALLOCATOR_STEP,
};

struct allocator {
    size_t used;  // bytes
    size_t limit; // the most that may be used; 0: no limit
    bool refused; // for the limit's sake, since somebody set this to false

    struct slab *open[ALLOCATOR_CLASSES]; // slabs that have room
    struct slab *empty;                   // slabs of no class, with their pages
    size_t bare;                          // slabs of no class, without them
    struct arena *arenas;                 // where slabs come from
};

void allocator_init(struct allocator *allocator, size_t limit);

// Returns all its memory to the system, blocks that Lua still has included.
void allocator_free(struct allocator *allocator);

// The lua_Alloc of a state; `data` is the allocator. Making a block smaller never fails: without
// any memory left for it the process ends.
void *allocator_allocate(void *data, void *block, size_t old, size_t size);

// Gives the pages of up to `slabs` empty slabs back to the system; false if there were fewer.
bool allocator_trim(struct allocator *allocator, size_t slabs);

// Bytes that it holds from the system for small blocks.
size_t allocator_held(const struct allocator *allocator);

#endif
