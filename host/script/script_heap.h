// SPDX-License-Identifier: Apache-2.0
//
// The memory of one Lua state: its account, its cap, and blocks from size classes. What a script
// allocates is small and short-lived, and Lua passes the size of a block that it frees. So blocks
// of up to SCRIPT_HEAP_SMALL bytes come from slabs of blocks of one size, larger ones from malloc.
// A slab that becomes empty serves any class again, and keeps its pages until script_heap_trim().
//
// The account is exact: `used` is the sum of the sizes that Lua asked for, as its own
// collectgarbage("count") has it. Under AddressSanitizer every block comes from malloc, so that a
// use after the free is found.
//
// A heap that was *placed* has all blocks but those of texts in a region of memory that is at the
// same address in each process (heap_region.h): the same sequence of requests for them gives the
// same addresses. Lua hashes tables, functions and userdata by their address, and prints it. Texts
// are apart, because Lua keeps some that C functions push in a cache by the address in C, and so
// makes one more or less of them in each process.

#ifndef MESOS_LUA_SCRIPT_SCRIPT_HEAP_H
#define MESOS_LUA_SCRIPT_SCRIPT_HEAP_H

#include <stdbool.h>
#include <stddef.h>

enum {
    SCRIPT_HEAP_STEP = 16, // bytes between two classes
    SCRIPT_HEAP_SMALL = 512,
    SCRIPT_HEAP_CLASSES = SCRIPT_HEAP_SMALL / SCRIPT_HEAP_STEP,
};

struct heap_region;

struct script_heap {
    size_t used;  // bytes
    size_t limit; // the most that may be used; 0: no limit
    bool refused; // A request was refused by the limit since this was last set to false.

    // Of a placed heap; otherwise NULL.
    struct heap_region *region; // where groups and large blocks come from
    struct script_heap *texts;  // has them, and no account

    struct slab *open[SCRIPT_HEAP_CLASSES]; // slabs with free blocks
    struct slab *empty;                     // slabs of no class, with their pages
    size_t bare;                            // slabs of no class, without them
    struct slab_group *groups;              // where slabs come from
};

void script_heap_init(struct script_heap *heap, size_t limit);

// Of a heap that is empty: from now on it is a placed one. False, and nothing changes, if there is
// no place for it, which is so under AddressSanitizer and for more than HEAP_REGIONS at a time.
bool script_heap_place(struct script_heap *heap);

// Returns all its memory to the system, blocks that Lua still has included.
void script_heap_free(struct script_heap *heap);

// The lua_Alloc of a state; `data` is the heap. Making a block smaller never fails: without
// any memory left for it the process ends.
void *script_heap_allocate(void *data, void *block, size_t old, size_t size);

// Gives the pages of up to `slabs` empty slabs back to the system; false if there were fewer.
bool script_heap_trim(struct script_heap *heap, size_t slabs);

// Bytes that it holds from the system for small blocks.
size_t script_heap_held(const struct script_heap *heap);

#endif
