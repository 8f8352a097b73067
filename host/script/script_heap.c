// SPDX-License-Identifier: Apache-2.0
//
// Size classes for the Lua heap: see script_heap.h. Slabs come in groups, and are aligned
// to their size, so the slab of a block is found by its address. A slab hands out the blocks that
// were returned to it, the last one first, and then those that were never used: pages that are not
// needed are never touched.

#include "script/script_heap.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/sanitizer.h"
#include "script/heap_region.h"

#include <lua.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SLAB = 16 * 1024,
    GROUP = 64, // slabs
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

struct slab_group {
    struct slab_group *next;
    uint8_t *slabs;
    size_t taken;  // slabs that were ever used
    uint64_t bare; // those of them, one bit each, that have no pages
};

_Static_assert(GROUP <= 64, "a bit for each slab of a group");

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

static uint8_t *get_slabs(struct script_heap *heap)
{
    size_t size = (size_t)SLAB * GROUP;
    return heap->region ? heap_region_pages(heap->region, SLAB, size) : aligned_alloc(SLAB, size);
}

static bool add_group(struct script_heap *heap)
{
    struct slab_group *group = malloc(sizeof *group);
    uint8_t *slabs = group ? get_slabs(heap) : NULL;
    if (slabs == NULL) {
        free(group);
        return false;
    }
    *group = (struct slab_group){.next = heap->groups, .slabs = slabs};
    heap->groups = group;
    return true;
}

static struct slab *get_bare(struct script_heap *heap)
{
    struct slab_group *group = heap->groups;
    while (group->bare == 0)
        group = group->next;
    size_t number = (size_t)__builtin_ctzll(group->bare);
    group->bare &= group->bare - 1;
    heap->bare--;
    return (struct slab *)(group->slabs + SLAB * number);
}

// One of no class, or NULL.
static struct slab *get_slab(struct script_heap *heap)
{
    struct slab *slab = heap->empty;
    if (slab != NULL) {
        unlink_slab(slab);
        return slab;
    }
    if (heap->bare > 0)
        return get_bare(heap);
    bool full = heap->groups == NULL || heap->groups->taken == GROUP;
    if (full && !add_group(heap))
        return NULL;
    struct slab_group *group = heap->groups;
    return (struct slab *)(group->slabs + SLAB * group->taken++);
}

static struct slab *open_slab(struct script_heap *heap, size_t class)
{
    struct slab *slab = get_slab(heap);
    if (slab == NULL)
        return NULL;
    size_t size = (class + 1) * SCRIPT_HEAP_STEP;
    *slab = (struct slab){.fresh = (uint8_t *)(slab + 1),
                          .class = (uint32_t) class,
                          .left = (uint32_t)((SLAB - sizeof *slab) / size)};
    link_slab(&heap->open[class], slab);
    return slab;
}

static void strip(struct script_heap *heap, struct slab *slab)
{
    struct slab_group *group = heap->groups;
    while ((uintptr_t)slab - (uintptr_t)group->slabs >= (uintptr_t)SLAB * GROUP)
        group = group->next;
    group->bare |= UINT64_C(1) << ((size_t)((uint8_t *)slab - group->slabs) / SLAB);
    heap->bare++;
    madvise(slab, SLAB, MADV_DONTNEED);
}

// Where a page is larger than a slab, it is never returned, as other slabs have the rest of it.
bool script_heap_trim(struct script_heap *heap, size_t slabs)
{
    if (sysconf(_SC_PAGESIZE) > SLAB)
        return false;
    for (; slabs > 0 && heap->empty != NULL; slabs--) {
        struct slab *slab = heap->empty;
        unlink_slab(slab);
        strip(heap, slab);
    }
    return slabs == 0 || (heap->texts != NULL && script_heap_trim(heap->texts, slabs));
}

static void retire_slab(struct script_heap *heap, struct slab *slab)
{
    unlink_slab(slab);
    link_slab(&heap->empty, slab);
}

// ---- blocks ----

// A block that was in use long ago is not in the cache any more: the next one of the class is
// fetched while the one before it is written to.
static inline void fetch_ahead(const struct slab *slab)
{
    enum { LINE = 64 };
    const uint8_t *next = slab->returned ? (const uint8_t *)slab->returned : slab->fresh;
    for (size_t at = 0; at <= slab->class * SCRIPT_HEAP_STEP; at += LINE)
        __builtin_prefetch(next + at, 1);
}

static void *allocate_small(struct script_heap *heap, size_t size)
{
    size_t class = (size - 1) / SCRIPT_HEAP_STEP;
    struct slab *slab = heap->open[class];
    if (slab == NULL && (slab = open_slab(heap, class)) == NULL)
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
    else
        fetch_ahead(slab);
    return block;
}

// The last open slab of a class stays, otherwise one block that is allocated and freed again and
// again would open and retire it each time.
static void release_small(struct script_heap *heap, void *block)
{
    struct slab *slab = slab_of(block);
    struct block *returned = block;
    returned->next = slab->returned;
    slab->returned = returned;
    if (slab->left++ == 0)
        link_slab(&heap->open[slab->class], slab);
    if (--slab->used == 0 && (slab->next != NULL || heap->open[slab->class] != slab))
        retire_slab(heap, slab);
}

static bool is_small(size_t size)
{
    return !ADDRESS_SANITIZER && size <= SCRIPT_HEAP_SMALL;
}

static void *allocate_large(struct script_heap *heap, size_t size)
{
    return heap->region ? heap_region_allocate(heap->region, size) : malloc(size);
}

static void *allocate(struct script_heap *heap, size_t size)
{
    return is_small(size) ? allocate_small(heap, size) : allocate_large(heap, size);
}

static void release(struct script_heap *heap, void *block, size_t size)
{
    if (is_small(size))
        release_small(heap, block);
    else if (heap->region != NULL)
        heap_region_release(heap->region, block, size);
    else
        free(block);
}

static bool same_class(size_t old, size_t size)
{
    return (old - 1) / SCRIPT_HEAP_STEP == (size - 1) / SCRIPT_HEAP_STEP;
}

// memory_new() ends the process with a message if it finds no memory either. A region that is used
// up gets none from there, so what is asked for then is more than there ever is.
static void *insist(struct script_heap *heap, size_t size)
{
    void *block;
    while ((block = allocate(heap, size)) == NULL)
        free(memory_new(heap->region ? SIZE_MAX / 2 : (size_t)SLAB * GROUP));
    return block;
}

static void *move(struct script_heap *heap, void *block, size_t old, size_t size)
{
    void *moved = size > old ? allocate(heap, size) : insist(heap, size);
    if (moved == NULL)
        return NULL;
    memcpy(moved, block, old < size ? old : size);
    release(heap, block, old);
    return moved;
}

static void *resize_large(struct script_heap *heap, void *block, size_t old, size_t size)
{
    if (heap->region != NULL)
        return heap_region_fits(old, size) ? block : move(heap, block, old, size);
    void *resized = realloc(block, size);
    return resized == NULL && size <= old ? block : resized;
}

static void *resize(struct script_heap *heap, void *block, size_t old, size_t size)
{
    if (!is_small(old) && !is_small(size))
        return resize_large(heap, block, old, size);
    if (is_small(old) && is_small(size) && same_class(old, size))
        return block;
    return move(heap, block, old, size);
}

// ---- the account ----

static bool allowed(struct script_heap *heap, size_t more)
{
    if (heap->limit == 0 || heap->used + more <= heap->limit)
        return true;
    heap->refused = true;
    return false;
}

// The one that has the block.
static struct script_heap *keeper(struct script_heap *heap, const void *block)
{
    return heap->region && !heap_region_has(heap->region, block) ? heap->texts : heap;
}

static void *allocate_object(struct script_heap *heap, size_t kind, size_t size)
{
    return allocate(heap->texts && kind == LUA_TSTRING ? heap->texts : heap, size);
}

// When Lua asks for a new block, `old` is the kind of the object and not a size.
void *script_heap_allocate(void *data, void *block, size_t old, size_t size)
{
    struct script_heap *heap = data;
    size_t kind = old;
    if (block == NULL)
        old = 0;
    if (size == 0) {
        if (block != NULL)
            release(keeper(heap, block), block, old);
        heap->used -= old;
        return NULL;
    }
    if (size > old && !allowed(heap, size - old))
        return NULL;
    void *result =
        block ? resize(keeper(heap, block), block, old, size) : allocate_object(heap, kind, size);
    if (result != NULL)
        heap->used += size - old;
    return result;
}

// ---- life ----

void script_heap_init(struct script_heap *heap, size_t limit)
{
    *heap = (struct script_heap){.limit = limit};
}

bool script_heap_place(struct script_heap *heap)
{
    static bool warned;
    if (ADDRESS_SANITIZER)
        return false;
    heap->region = heap_region_create();
    if (heap->region == NULL) {
        if (!warned)
            log_warning("the addresses of a script's values cannot be chosen: the order of pairs() "
                        "over keys that are tables or functions differs from run to run");
        warned = true;
        return false;
    }
    heap->texts = memory_new(sizeof *heap->texts);
    script_heap_init(heap->texts, 0);
    return true;
}

void script_heap_free(struct script_heap *heap)
{
    while (heap->groups != NULL) {
        struct slab_group *group = heap->groups;
        heap->groups = group->next;
        if (heap->region == NULL)
            free(group->slabs);
        free(group);
    }
    heap_region_destroy(heap->region);
    if (heap->texts != NULL)
        script_heap_free(heap->texts);
    free(heap->texts);
}

size_t script_heap_held(const struct script_heap *heap)
{
    size_t slabs = 0;
    for (const struct slab_group *group = heap->groups; group != NULL; group = group->next)
        slabs += group->taken;
    return slabs * SLAB + (heap->texts ? script_heap_held(heap->texts) : 0);
}
