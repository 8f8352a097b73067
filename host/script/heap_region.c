// SPDX-License-Identifier: Apache-2.0
//
// Regions of memory with addresses of their own: see heap_region.h. A region begins as address
// space without memory. What was handed out so far, rounded up to pieces, is memory; nothing in it
// is returned to the system before the end, except for the pages of large blocks.

#include "script/heap_region.h"

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000 // Linux 4.17; older ones take the address as a hint
#endif

#define BASE (UINT64_C(128) << 30) // above what is loaded without a random address, below the rest
#define SPACE (UINT64_C(16) << 30)

enum {
    SHIFT = 2, // 4 classes to each power of two
    STEPS = 1 << SHIFT,
    CLASSES = 35 * STEPS,
    PIECE = 1 << 20, // of address space that becomes memory at a time
    LARGE = 1 << 18, // from which on the pages of a released block are returned
    ALIGNMENT = 16,
};

struct free_block {
    struct free_block *next;
};

struct heap_region {
    uint8_t *start;
    size_t used, ready; // bytes from the start: handed out, and memory
    struct free_block *released[CLASSES];
};

// ---- life ----

static void *reserve(unsigned number)
{
    void *wanted = (void *)(uintptr_t)(BASE + number * SPACE);
    void *start = mmap(wanted, SPACE, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (start == MAP_FAILED)
        return NULL;
    if (start == wanted)
        return start;
    munmap(start, SPACE);
    return NULL;
}

struct heap_region *heap_region_create(void)
{
    void *start = NULL;
    for (unsigned i = 0; i < HEAP_REGIONS && start == NULL; i++)
        start = reserve(i);
    if (start == NULL)
        return NULL;
    struct heap_region *region = memory_new(sizeof *region);
    region->start = start;
    return region;
}

void heap_region_destroy(struct heap_region *region)
{
    if (region != NULL)
        munmap(region->start, SPACE);
    free(region);
}

// ---- pages ----

static bool make_ready(struct heap_region *region, size_t end)
{
    size_t ready = (end + PIECE - 1) / PIECE * PIECE;
    if (end <= region->ready)
        return true;
    if (mprotect(region->start + region->ready, ready - region->ready, PROT_READ | PROT_WRITE) != 0)
        return false;
    region->ready = ready;
    return true;
}

void *heap_region_pages(struct heap_region *region, size_t alignment, size_t size)
{
    size_t begin = (region->used + alignment - 1) & ~(alignment - 1);
    if (size > SPACE || begin > SPACE - size || !make_ready(region, begin + size))
        return NULL;
    region->used = begin + size;
    return region->start + begin;
}

// ---- blocks ----

// Sizes of class (p, s) are 2^p + s * 2^p / STEPS at most, and more than those of the class before.
static size_t class_of(size_t size, size_t *rounded)
{
    size_t least = size <= ALIGNMENT * STEPS ? ALIGNMENT * STEPS : size - 1;
    unsigned power = 63u - (unsigned)__builtin_clzll(least);
    size_t step = (size_t)1 << (power - SHIFT);
    size_t number = (least - ((size_t)1 << power)) / step;
    *rounded = ((size_t)1 << power) + (number + 1) * step;
    return power * STEPS + number;
}

void *heap_region_allocate(struct heap_region *region, size_t size)
{
    size_t rounded;
    if (size > SPACE)
        return NULL;
    size_t class = class_of(size, &rounded);
    struct free_block *block = region->released[class];
    if (block == NULL)
        return heap_region_pages(region, ALIGNMENT, rounded);
    region->released[class] = block->next;
    return block;
}

// The page with the link stays.
static void return_pages(uint8_t *block, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = ((uintptr_t)block + sizeof(struct free_block) + page - 1) & ~(page - 1);
    uintptr_t end = ((uintptr_t)block + size) & ~(page - 1);
    if (size >= LARGE)
        madvise((void *)begin, end - begin, MADV_DONTNEED);
}

void heap_region_release(struct heap_region *region, void *block, size_t size)
{
    size_t rounded;
    size_t class = class_of(size, &rounded);
    struct free_block *released = block;
    return_pages(block, rounded);
    released->next = region->released[class];
    region->released[class] = released;
}

bool heap_region_has(const struct heap_region *region, const void *block)
{
    return (uintptr_t)block - (uintptr_t)region->start < SPACE;
}

bool heap_region_fits(size_t old, size_t size)
{
    size_t rounded;
    return class_of(old, &rounded) == class_of(size, &rounded);
}
