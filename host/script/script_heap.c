// SPDX-License-Identifier: Apache-2.0
//
// Size classes for the Lua heap: see allocator.h. Arenas are cut into slabs, which stand at
// multiples of their size, so that the slab of a block is found by its address. A slab hands out
// the blocks that came back to it, the last one first, and then those that were never used: pages
// that nobody needs are never touched.

#include "script/script_heap.h"

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define BLOCKS_APART 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BLOCKS_APART 1
#endif
#endif
#ifndef BLOCKS_APART
#define BLOCKS_APART 0
#endif

enum {
    SLAB = 16 * 1024,
    ARENA = 64, // slabs
};

struct block {
    struct block *next;
};

struct slab {
    struct slab *next, **link; // among the open ones of its class, or among the empty ones
    struct block *returned;
    uint8_t *fresh;             // never handed out, from here on
    uint32_t class, left, used; // blocks
};

_Static_assert(sizeof(struct slab) % SCRIPT_HEAP_STEP == 0, "blocks are aligned");

struct arena {
    struct arena *next;
    uint8_t *slabs;
    size_t taken;  // slabs that were ever used
    uint64_t bare; // those of them, one bit each, that have no pages
};

_Static_assert(ARENA <= 64, "a bit for each slab of an arena");

// ---- slabs ----

static void link_slab(struct slab **list, struct slab *slab)
{
    slab->next = *list;
    slab->link = list;
    if (slab->next != NULL)
        slab->next->link = &slab->next;
    *list = slab;
}

static void unlink_slab(struct slab *slab)
{
    *slab->link = slab->next;
    if (slab->next != NULL)
        slab->next->link = slab->link;
}

static struct slab *slab_of(void *block)
{
    return (struct slab *)((uintptr_t)block & ~(uintptr_t)(SLAB - 1));
}

static bool add_arena(struct script_heap *allocator)
{
    struct arena *arena = malloc(sizeof *arena);
    uint8_t *slabs = arena ? aligned_alloc(SLAB, (size_t)SLAB * ARENA) : NULL;
    if (slabs == NULL) {
        free(arena);
        return false;
    }
    *arena = (struct arena){.next = allocator->arenas, .slabs = slabs};
    allocator->arenas = arena;
    return true;
}

static struct slab *take_bare(struct script_heap *allocator)
{
    struct arena *arena = allocator->arenas;
    while (arena->bare == 0)
        arena = arena->next;
    size_t number = (size_t)__builtin_ctzll(arena->bare);
    arena->bare &= arena->bare - 1;
    allocator->bare--;
    return (struct slab *)(arena->slabs + SLAB * number);
}

// One of no class, or NULL.
static struct slab *take_slab(struct script_heap *allocator)
{
    struct slab *slab = allocator->empty;
    if (slab != NULL) {
        unlink_slab(slab);
        return slab;
    }
    if (allocator->bare > 0)
        return take_bare(allocator);
    bool full = allocator->arenas == NULL || allocator->arenas->taken == ARENA;
    if (full && !add_arena(allocator))
        return NULL;
    struct arena *arena = allocator->arenas;
    return (struct slab *)(arena->slabs + SLAB * arena->taken++);
}

static struct slab *open_slab(struct script_heap *allocator, size_t class)
{
    struct slab *slab = take_slab(allocator);
    if (slab == NULL)
        return NULL;
    size_t size = (class + 1) * SCRIPT_HEAP_STEP;
    *slab = (struct slab){.fresh = (uint8_t *)(slab + 1),
                          .class = (uint32_t) class,
                          .left = (uint32_t)((SLAB - sizeof *slab) / size)};
    link_slab(&allocator->open[class], slab);
    return slab;
}

static void strip(struct script_heap *allocator, struct slab *slab)
{
    struct arena *arena = allocator->arenas;
    while ((uintptr_t)slab - (uintptr_t)arena->slabs >= (uintptr_t)SLAB * ARENA)
        arena = arena->next;
    arena->bare |= UINT64_C(1) << ((size_t)((uint8_t *)slab - arena->slabs) / SLAB);
    allocator->bare++;
    madvise(slab, SLAB, MADV_DONTNEED);
}

// Where a page is larger than a slab, it is never given back, as others have the rest of it.
bool script_heap_trim(struct script_heap *allocator, size_t slabs)
{
    if (sysconf(_SC_PAGESIZE) > SLAB)
        return false;
    for (; slabs > 0 && allocator->empty != NULL; slabs--) {
        struct slab *slab = allocator->empty;
        unlink_slab(slab);
        strip(allocator, slab);
    }
    return slabs == 0;
}

static void retire_slab(struct script_heap *allocator, struct slab *slab)
{
    unlink_slab(slab);
    link_slab(&allocator->empty, slab);
}

// ---- blocks ----

static void *take_small(struct script_heap *allocator, size_t size)
{
    size_t class = (size - 1) / SCRIPT_HEAP_STEP;
    struct slab *slab = allocator->open[class];
    if (slab == NULL && (slab = open_slab(allocator, class)) == NULL)
        return NULL;
    void *block = slab->returned;
    if (block != NULL) {
        slab->returned = slab->returned->next;
    } else {
        block = slab->fresh;
        slab->fresh += (class + 1) * SCRIPT_HEAP_STEP;
    }
    slab->used++;
    if (--slab->left == 0)
        unlink_slab(slab);
    return block;
}

// The last open slab of a class stays, or a block that comes and goes would take it along.
static void return_small(struct script_heap *allocator, void *block)
{
    struct slab *slab = slab_of(block);
    struct block *returned = block;
    returned->next = slab->returned;
    slab->returned = returned;
    if (slab->left++ == 0)
        link_slab(&allocator->open[slab->class], slab);
    if (--slab->used == 0 && (slab->next != NULL || allocator->open[slab->class] != slab))
        retire_slab(allocator, slab);
}

static bool is_small(size_t size)
{
    return !BLOCKS_APART && size <= SCRIPT_HEAP_SMALL;
}

static void *take(struct script_heap *allocator, size_t size)
{
    return is_small(size) ? take_small(allocator, size) : malloc(size);
}

static void give_back(struct script_heap *allocator, void *block, size_t size)
{
    if (is_small(size))
        return_small(allocator, block);
    else
        free(block);
}

static bool same_class(size_t old, size_t size)
{
    return (old - 1) / SCRIPT_HEAP_STEP == (size - 1) / SCRIPT_HEAP_STEP;
}

// Where not even memory_new() finds memory, it ends the process with a message.
static void *insist(struct script_heap *allocator, size_t size)
{
    void *block;
    while ((block = take(allocator, size)) == NULL)
        free(memory_new((size_t)SLAB * ARENA));
    return block;
}

static void *move(struct script_heap *allocator, void *block, size_t old, size_t size)
{
    void *moved = size > old ? take(allocator, size) : insist(allocator, size);
    if (moved == NULL)
        return NULL;
    memcpy(moved, block, old < size ? old : size);
    give_back(allocator, block, old);
    return moved;
}

static void *resize(struct script_heap *allocator, void *block, size_t old, size_t size)
{
    if (!is_small(old) && !is_small(size)) {
        void *resized = realloc(block, size);
        return resized == NULL && size <= old ? block : resized;
    }
    if (is_small(old) && is_small(size) && same_class(old, size))
        return block;
    return move(allocator, block, old, size);
}

// ---- the account ----

static bool allowed(struct script_heap *allocator, size_t more)
{
    if (allocator->limit == 0 || allocator->used + more <= allocator->limit)
        return true;
    allocator->refused = true;
    return false;
}

// When Lua asks for a new block, `old` is the kind of the object and not a size.
void *script_heap_allocate(void *data, void *block, size_t old, size_t size)
{
    struct script_heap *allocator = data;
    if (block == NULL)
        old = 0;
    if (size == 0) {
        if (block != NULL)
            give_back(allocator, block, old);
        allocator->used -= old;
        return NULL;
    }
    if (size > old && !allowed(allocator, size - old))
        return NULL;
    void *result = block ? resize(allocator, block, old, size) : take(allocator, size);
    if (result != NULL)
        allocator->used += size - old;
    return result;
}

// ---- life ----

void script_heap_init(struct script_heap *allocator, size_t limit)
{
    *allocator = (struct script_heap){.limit = limit};
}

void script_heap_free(struct script_heap *allocator)
{
    while (allocator->arenas != NULL) {
        struct arena *arena = allocator->arenas;
        allocator->arenas = arena->next;
        free(arena->slabs);
        free(arena);
    }
}

size_t script_heap_held(const struct script_heap *allocator)
{
    size_t slabs = 0;
    for (const struct arena *arena = allocator->arenas; arena != NULL; arena = arena->next)
        slabs += arena->taken;
    return slabs * SLAB;
}
