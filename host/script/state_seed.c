// SPDX-License-Identifier: Apache-2.0
//
// The seed of Lua's hashes: see state_seed.h. lua_newstate() allocates one block for all that is
// not collected, fills it, the seed included, and asks for its next block. In that second request
// the first block is looked at, or the seed in it is overwritten.
//
// Two states are made in the same block, one deeper in the C stack than the other, and both end in
// their second request. Lua's seed is a hash of, among others, the address of a local variable.
// Everything else in the block is the same, except for pointers into the stack, which differ by the
// distance of the two.

#include "script/state_seed.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum {
    NEAR = 0, // frames of dig() between two samples
    FAR = 7,
    KEYS = 64, // of the table whose order is looked at
};

static const uint32_t proof_seed = 0x6d65736f;

static struct {
    bool searched, works;
    size_t offset; // of the seed in the first block
} found;

// ---- what lua_newstate() writes ----

// One object for both states, as Lua keeps its address in the block.
struct samples {
    uint8_t *block;
    size_t size;
    struct sample {
        uint8_t *seen;   // the block in the second request; NULL: there was none
        uintptr_t place; // on the stack
    } taken[2];
    struct sample *current;
    bool given; // the block is in use
};

static void *give_block(struct samples *samples, size_t size)
{
    if (samples->block == NULL) {
        samples->size = size;
        samples->block = memory_new(size);
    }
    samples->given = size == samples->size;
    return samples->given ? samples->block : NULL;
}

static void *refuse_second(void *data, void *block, size_t old, size_t size)
{
    struct samples *samples = data;
    (void)old;
    if (size == 0 || block != NULL)
        return NULL;
    if (!samples->given)
        return give_block(samples, size);
    if (samples->current->seen == NULL) {
        samples->current->seen = memory_new(samples->size);
        memcpy(samples->current->seen, samples->block, samples->size);
    }
    return NULL;
}

static void __attribute__((noinline)) dig(struct samples *samples, unsigned frames)
{
    volatile char frame[48];
    frame[0] = 0;
    if (frames > 0) {
        dig(samples, frames - 1);
    } else {
        samples->current->place = (uintptr_t)__builtin_frame_address(0);
        lua_State *L = lua_newstate(refuse_second, samples);
        if (L != NULL)
            lua_close(L);
    }
    frame[1] = frame[0];
}

static bool take_sample(struct samples *samples, unsigned number, unsigned frames)
{
    samples->given = false;
    samples->current = &samples->taken[number];
    if (samples->block != NULL)
        memset(samples->block, 0, samples->size);
    dig(samples, frames);
    return samples->current->seen != NULL;
}

// The words from there on that are not equal.
static unsigned differences(const struct samples *samples, size_t offset)
{
    unsigned count = 0;
    for (size_t i = offset; i < offset + sizeof(uintptr_t); i += sizeof(uint32_t)) {
        if (memcmp(samples->taken[0].seen + i, samples->taken[1].seen + i, sizeof(uint32_t)) == 0)
            continue;
        found.offset = i;
        count++;
    }
    return count;
}

static uintptr_t pointer_at(const struct sample *sample, size_t offset)
{
    uintptr_t pointer;
    memcpy(&pointer, sample->seen + offset, sizeof pointer);
    return pointer;
}

static bool compare(const struct samples *samples)
{
    const struct sample *near = &samples->taken[0], *far = &samples->taken[1];
    unsigned count = 0;
    for (size_t i = 0; i + sizeof(uintptr_t) <= samples->size; i += sizeof(uintptr_t))
        if (pointer_at(far, i) - pointer_at(near, i) != far->place - near->place)
            count += differences(samples, i);
    return count == 1;
}

static bool find(void)
{
    struct samples samples = {.block = NULL};
    bool good =
        take_sample(&samples, 0, NEAR) && take_sample(&samples, 1, FAR) && compare(&samples);
    free(samples.block);
    free(samples.taken[0].seen);
    free(samples.taken[1].seen);
    return good;
}

// ---- making a state ----

struct seeding {
    struct script_heap *heap;
    uint8_t *block; // the first one, until the seed is in it
    uint32_t seed;
};

static void *allocate(void *data, void *block, size_t old, size_t size)
{
    struct seeding *seeding = data;
    bool first = seeding->heap->used == 0;
    if (seeding->block != NULL)
        memcpy(seeding->block + found.offset, &seeding->seed, sizeof seeding->seed);
    seeding->block = NULL;
    void *result = script_heap_allocate(seeding->heap, block, old, size);
    if (first)
        seeding->block = result;
    return result;
}

static lua_State *open_seeded(struct script_heap *heap, uint32_t seed)
{
    struct seeding seeding = {.heap = heap, .seed = seed};
    lua_State *L = lua_newstate(allocate, &seeding);
    if (L != NULL)
        lua_setallocf(L, script_heap_allocate, heap);
    return L;
}

// ---- the proof ----

// A number that tells orders apart.
static int l_order(lua_State *L) // [-0, +1, e]
{
    lua_Unsigned order = 0;
    lua_createtable(L, 0, KEYS);
    for (int i = 0; i < KEYS; i++) {
        lua_pushfstring(L, "key %d", i);
        lua_pushinteger(L, i);
        lua_rawset(L, 1);
    }
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1))
        order = order * 31 + (lua_Unsigned)lua_tointeger(L, -1);
    lua_pushinteger(L, (lua_Integer)order);
    return 1;
}

struct proof {
    struct script_heap heap;
    lua_State *L;
    lua_Integer order;
};

static bool begin_proof(struct proof *proof, uint32_t seed)
{
    script_heap_init(&proof->heap, 0);
    proof->order = 0;
    proof->L = open_seeded(&proof->heap, seed);
    if (proof->L == NULL)
        return false;
    lua_pushcfunction(proof->L, l_order);
    bool good = lua_pcall(proof->L, 0, 1, 0) == LUA_OK;
    proof->order = lua_tointeger(proof->L, -1);
    return good;
}

static void end_proof(struct proof *proof)
{
    if (proof->L != NULL)
        lua_close(proof->L);
    script_heap_free(&proof->heap);
}

// The two states of one seed are at different places, as they are there at the same time.
static bool prove(void)
{
    struct proof first, second, other;
    bool good = begin_proof(&first, proof_seed);
    good = begin_proof(&second, proof_seed) && good;
    good = begin_proof(&other, ~proof_seed) && good;
    end_proof(&first);
    end_proof(&second);
    end_proof(&other);
    return good && first.order == second.order && first.order != other.order;
}

bool state_seed_works(void)
{
    if (!found.searched)
        found.works = find() && prove();
    found.searched = true;
    return found.works;
}

lua_State *state_seed_open(struct script_heap *heap, uint32_t seed)
{
    static bool warned;
    if (state_seed_works())
        return open_seeded(heap, seed);
    if (!warned)
        log_warning("the seed of this Lua's hashes cannot be chosen: the order of pairs() over "
                    "keys that are texts differs from run to run");
    warned = true;
    return lua_newstate(script_heap_allocate, heap);
}
