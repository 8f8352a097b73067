// SPDX-License-Identifier: Apache-2.0
//
// A growing run of bytes with a cap: see buffer.h.

#include "base/buffer.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHRINK_ABOVE ((size_t)64 * 1024)

void buffer_init(struct buffer *buffer, size_t limit)
{
    *buffer = (struct buffer){.limit = limit};
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    buffer_init(buffer, buffer->limit);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
}

void buffer_shrink(struct buffer *buffer)
{
    if (buffer->capacity > SHRINK_ABOVE)
        buffer_free(buffer);
    buffer_clear(buffer);
}

static void grow(struct buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity ? buffer->capacity : 256;
    while (capacity < needed + 1)
        capacity *= 2;
    buffer->data = memory_resize(buffer->data, capacity);
    buffer->capacity = capacity;
}

uint8_t *buffer_grow(struct buffer *buffer, size_t length)
{
    if (length > buffer->limit - buffer->length)
        return NULL;
    if (buffer->length + length + 1 > buffer->capacity)
        grow(buffer, buffer->length + length);
    return buffer->data + buffer->length;
}

bool buffer_append(struct buffer *buffer, const void *data, size_t length)
{
    uint8_t *end = buffer_reserve(buffer, length);
    if (end == NULL)
        return false;
    if (length)
        memcpy(end, data, length);
    buffer->length += length;
    return true;
}

bool buffer_append_slice(struct buffer *buffer, struct slice slice)
{
    return buffer_append(buffer, slice.data, slice.length);
}

bool buffer_append_text(struct buffer *buffer, const char *text)
{
    return buffer_append(buffer, text, strlen(text));
}

bool buffer_format(struct buffer *buffer, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    uint8_t *end = length < 0 ? NULL : buffer_reserve(buffer, (size_t)length);
    if (end != NULL) {
        vsnprintf((char *)end, (size_t)length + 1, format, again);
        buffer->length += (size_t)length;
    }
    va_end(again);
    return end != NULL;
}

void buffer_consume(struct buffer *buffer, size_t length)
{
    if (length > buffer->length)
        length = buffer->length;
    buffer->length -= length;
    if (buffer->length && length)
        memmove(buffer->data, buffer->data + length, buffer->length);
}

struct slice buffer_slice(const struct buffer *buffer)
{
    return (struct slice){.data = buffer->data, .length = buffer->length};
}

const char *buffer_string(struct buffer *buffer)
{
    if (buffer->data == NULL)
        return "";
    buffer->data[buffer->length] = 0;
    return (const char *)buffer->data;
}
