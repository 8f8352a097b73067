// SPDX-License-Identifier: Apache-2.0
//
// Memory at addresses that are the same in each process: the system's own allocator begins at a
// random address each time. A region is one of HEAP_REGIONS stretches of address space that systems
// leave free; its pages are added as they are needed. The same sequence of calls gives the same
// addresses, in the same region; those in different regions have the same lower 32 bits, which are
// what Lua's hashes take. Large blocks come in classes, four to each power of two; a block
// that is released serves its own class again, the last one first.

#ifndef MESOS_LUA_SCRIPT_HEAP_REGION_H
#define MESOS_LUA_SCRIPT_HEAP_REGION_H

#include <stdbool.h>
#include <stddef.h>

enum { HEAP_REGIONS = 64 }; // of a process at a time

struct heap_region;

// The first of the regions that is free. NULL: none is, or this system has something else there.
struct heap_region *heap_region_create(void);
void heap_region_destroy(struct heap_region *region); // with all that is in it. NULL is fine.

// Memory of zeros that stays until the region is destroyed. `alignment` is a power of two. NULL:
// the region (16 GiB) or the system's memory is used up.
void *heap_region_pages(struct heap_region *region, size_t alignment, size_t size);

// A block of at least `size` bytes, more than 0, aligned for everything. NULL as above.
void *heap_region_allocate(struct heap_region *region, size_t size);
void heap_region_release(struct heap_region *region, void *block, size_t size);

bool heap_region_has(const struct heap_region *region, const void *block);

// True if a block that was made for `old` bytes also serves for `size`, and is released as such.
bool heap_region_fits(size_t old, size_t size);

#endif
