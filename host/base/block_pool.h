// SPDX-License-Identifier: Apache-2.0
//
// Blocks of one size that come and go in great numbers: those that were given back are kept, up to
// a limit, and taken again. One thread.

#ifndef MESOS_LUA_BASE_BLOCK_POOL_H
#define MESOS_LUA_BASE_BLOCK_POOL_H

#include <stddef.h>

// A zeroed struct is a pool without blocks.
struct block_pool {
    struct spare_block *first;
    size_t count;
};

// Of at least the size of a pointer; what is in it is undefined.
void *block_pool_take(struct block_pool *pool, size_t size);
void block_pool_give(struct block_pool *pool, void *block); // a block of that size, from the pool
void block_pool_free(struct block_pool *pool);              // those that it keeps

#endif
