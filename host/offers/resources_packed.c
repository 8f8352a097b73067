// SPDX-License-Identifier: Apache-2.0
//
// Packed lists of resources; see the header.

#include "offers/resources_packed.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct resources_packed *resources_packed_make(const struct resources *list)
{
    size_t length = 0;
    for (size_t i = 0; i < list->count; i++)
        length += sizeof(uint32_t) + mesos__v1__resource__get_packed_size(list->items[i]);
    struct resources_packed *packed = memory_new(sizeof *packed + length);
    uint8_t *end = packed->data;
    for (size_t i = 0; i < list->count; i++) {
        uint32_t size = (uint32_t)mesos__v1__resource__pack(list->items[i], end + sizeof(uint32_t));
        memcpy(end, &size, sizeof size);
        end += sizeof size + size;
    }
    packed->length = (uint32_t)length;
    return packed;
}

static size_t count_entries(const struct resources_packed *packed)
{
    uint32_t size;
    size_t count = 0;
    for (size_t at = 0; at < packed->length; at += sizeof size + size, count++)
        memcpy(&size, packed->data + at, sizeof size);
    return count;
}

void resources_packed_open(struct resources *to, const struct resources_packed *packed)
{
    const uint8_t *next = packed->data;
    size_t count = count_entries(packed);
    *to = (struct resources){.items = count ? memory_new(count * sizeof *to->items) : NULL};
    for (; to->count < count; to->count++) {
        uint32_t size;
        memcpy(&size, next, sizeof size);
        to->items[to->count] = mesos__v1__resource__unpack(NULL, size, next + sizeof size);
        next += sizeof size + size;
    }
}
