// SPDX-License-Identifier: Apache-2.0
//
// Packed lists of resources; see the header.

#include "offers/resources_packed.h"

#include "base/memory.h"
#include "offers/resource_bytes.h"

#include <stdlib.h>
#include <string.h>

static void put_entry(struct buffer *out, const Mesos__V1__Resource *resource)
{
    size_t start = out->length;
    buffer_append(out, &(uint32_t){0}, sizeof(uint32_t));
    resource_bytes_put(out, resource);
    uint32_t size = (uint32_t)(out->length - start - sizeof size);
    memcpy(out->data + start, &size, sizeof size);
}

struct resources_packed *resources_packed_make(const struct resources *list)
{
    struct buffer entries;
    buffer_init(&entries, SIZE_MAX);
    for (size_t i = 0; i < list->count; i++)
        put_entry(&entries, list->items[i]);
    struct resources_packed *packed = memory_resize(NULL, sizeof *packed + entries.length);
    packed->length = (uint32_t)entries.length;
    if (entries.length > 0)
        memcpy(packed->data, entries.data, entries.length);
    buffer_free(&entries);
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
        to->items[to->count] =
            resource_bytes_read((struct slice){.data = next + sizeof size, .length = size});
        next += sizeof size + size;
    }
}
