// SPDX-License-Identifier: Apache-2.0
//
// Chunks of memory, each twice as large as the one before it: see arena.h. A build with
// AddressSanitizer gives each block a chunk of its own, so that it sees who leaves a block.

#include "base/arena.h"

#include "base/memory.h"
#include "base/sanitizer.h"

#include <stdbool.h>
#include <stdlib.h>

enum { BLOCKS_ALONE = ADDRESS_SANITIZER };

#define CHUNK_LEAST ((size_t)8 << 10)

struct arena_chunk {
    struct arena_chunk *older;
    size_t size; // of `bytes`
    _Alignas(ARENA_ALIGNMENT) uint8_t bytes[];
};

static void use_from(struct arena *arena, size_t offset)
{
    arena->at = arena->chunks->bytes + offset;
    arena->end = arena->chunks->bytes + arena->chunks->size;
}

static size_t chunk_size(const struct arena *arena, size_t wanted)
{
    size_t usual = arena->chunks ? 2 * arena->chunks->size : CHUNK_LEAST;
    return BLOCKS_ALONE || wanted > usual ? wanted : usual;
}

void *arena_take_more(struct arena *arena, size_t size)
{
    size_t wanted = BLOCKS_ALONE ? size : arena_rounded(size), room = chunk_size(arena, wanted);
    struct arena_chunk *chunk = memory_resize(NULL, sizeof *chunk + room);
    *chunk = (struct arena_chunk){.older = arena->chunks, .size = room};
    arena->chunks = chunk;
    use_from(arena, wanted);
    return chunk->bytes;
}

static void free_chunks(struct arena_chunk *chunk)
{
    while (chunk != NULL) {
        struct arena_chunk *older = chunk->older;
        free(chunk);
        chunk = older;
    }
}

// The newest chunk is the largest.
void arena_empty(struct arena *arena)
{
    if (arena->chunks == NULL)
        return;
    if (BLOCKS_ALONE || arena->chunks->size > ARENA_KEPT) {
        arena_free(arena);
        return;
    }
    free_chunks(arena->chunks->older);
    arena->chunks->older = NULL;
    use_from(arena, 0);
}

void arena_free(struct arena *arena)
{
    free_chunks(arena->chunks);
    *arena = (struct arena){.chunks = NULL};
}
