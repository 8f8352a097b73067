// SPDX-License-Identifier: Apache-2.0
//
// Shared blocks of bytes and slices of them: see bytes.h.

#include "base/bytes.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct bytes *bytes_create(size_t length)
{
    struct bytes *bytes = memory_resize(NULL, sizeof *bytes + length);
    bytes->references = 1;
    bytes->length = length;
    bytes->held_since = 0;
    return bytes;
}

struct bytes *bytes_copy(const void *data, size_t length)
{
    struct bytes *bytes = bytes_create(length);
    if (length)
        memcpy(bytes->data, data, length);
    return bytes;
}

struct bytes *bytes_ref(struct bytes *bytes)
{
    bytes->references++;
    return bytes;
}

void bytes_unref(struct bytes *bytes)
{
    if (bytes != NULL && --bytes->references == 0)
        free(bytes);
}

struct slice slice_of(const struct bytes *bytes)
{
    return (struct slice){.data = bytes->data, .length = bytes->length};
}

struct slice slice_text(const char *text)
{
    return (struct slice){.data = (const uint8_t *)text, .length = text ? strlen(text) : 0};
}

bool slice_equal(struct slice a, struct slice b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}
