// SPDX-License-Identifier: Apache-2.0
//
// Memory for many small things that end together: they lie one behind the other, and are given back
// all at once, without a look at any of them. A zeroed struct is an arena without memory.
//
// An arena that is emptied keeps its largest chunk, unless that is larger than ARENA_KEPT, so one
// that is filled again and again allocates nothing.

#ifndef MESOS_LUA_BASE_ARENA_H
#define MESOS_LUA_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#define ARENA_KEPT ((size_t)1 << 20)

enum { ARENA_ALIGNMENT = 8 };

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; // the newest first
    uint8_t *at, *end;          // of what is free in the newest
};

static inline size_t arena_rounded(size_t size)
{
    return (size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
}

void *arena_take_more(struct arena *arena, size_t size);

// A block of 1 byte or more, whose contents are undefined.
static inline void *arena_take(struct arena *arena, size_t size)
{
    size_t rounded = arena_rounded(size);
    if (rounded > (size_t)(arena->end - arena->at))
        return arena_take_more(arena, size);
    void *block = arena->at;
    arena->at += rounded;
    return block;
}

void arena_empty(struct arena *arena); // what was taken is gone
void arena_free(struct arena *arena);  // the same, and it keeps no memory; it can be used again

#endif
