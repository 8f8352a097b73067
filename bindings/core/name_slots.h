// SPDX-License-Identifier: Apache-2.0
//
// Short Lua strings by their address. Lua has one string for all equal ones of up to 40 bytes, so
// while something keeps the string, its address is the name, and finding it takes no comparison of
// texts. The slots are the owner's, a power of two of them, of which at most half are taken.

#ifndef MESOS_LUA_BINDINGS_CORE_NAME_SLOTS_H
#define MESOS_LUA_BINDINGS_CORE_NAME_SLOTS_H

#include <stddef.h>
#include <stdint.h>

struct name_slot {
    const void *string; // NULL: free
    int what;           // what the name stands for
};

static inline size_t name_slots_place(const void *string, size_t count)
{
    return (uintptr_t)string / 8 * 2654435761u / 4096 & (count - 1);
}

// The slot of that string, or the free one where it would be.
static inline struct name_slot *name_slots_seek(struct name_slot *slots, size_t count,
                                                const void *string)
{
    size_t place = name_slots_place(string, count);
    while (slots[place].string != string && slots[place].string != NULL)
        place = (place + 1) & (count - 1);
    return &slots[place];
}

// What the string stands for; 0 if nothing has that name.
static inline int name_slots_find(const struct name_slot *slots, size_t count, const void *string)
{
    return name_slots_seek((struct name_slot *)(uintptr_t)slots, count, string)->what;
}

static inline void name_slots_add(struct name_slot *slots, size_t count, const void *string,
                                  int what)
{
    *name_slots_seek(slots, count, string) = (struct name_slot){.string = string, .what = what};
}

#endif
