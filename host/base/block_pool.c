// SPDX-License-Identifier: Apache-2.0
//
// A list of spare blocks; see the header. With the address sanitizer nothing is kept, so that it
// sees what is used after its end.

#include "base/block_pool.h"

#include "base/memory.h"
#include "base/sanitizer.h"

#include <stdlib.h>

enum { KEPT_MOST = ADDRESS_SANITIZER ? 0 : 4096 };

struct spare_block {
    struct spare_block *next;
};

void *block_pool_take(struct block_pool *pool, size_t size)
{
    struct spare_block *block = pool->first;
    if (block == NULL)
        return memory_resize(NULL, size);
    pool->first = block->next;
    pool->count--;
    return block;
}

void block_pool_give(struct block_pool *pool, void *block)
{
    struct spare_block *spare = block;
    if (pool->count + 1 > KEPT_MOST) {
        free(block);
        return;
    }
    spare->next = pool->first;
    pool->first = spare;
    pool->count++;
}

void block_pool_free(struct block_pool *pool)
{
    for (struct spare_block *block = pool->first, *next; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    *pool = (struct block_pool){.first = NULL};
}
