// SPDX-License-Identifier: Apache-2.0
//
// A growing run of bytes with a cap. Appending past the cap fails and leaves the contents as they
// were; the owner decides what that means.

#ifndef MESOS_LUA_BASE_BUFFER_H
#define MESOS_LUA_BASE_BUFFER_H

#include "base/bytes.h"

struct buffer {
    uint8_t *data;
    size_t length;
    size_t capacity;
    size_t limit; // the most bytes it may hold
};

void buffer_init(struct buffer *buffer, size_t limit);
void buffer_free(struct buffer *buffer);  // empties it and returns its memory; it can be used again
void buffer_clear(struct buffer *buffer); // empties it and keeps its memory
void buffer_shrink(struct buffer *buffer); // empties it and keeps its memory unless that is large

uint8_t *buffer_grow(struct buffer *buffer, size_t length);

// Makes room for `length` more bytes and returns where they go (the length is not changed), or NULL
// at the cap. One byte more than asked for is always there, for the zero byte of buffer_string().
static inline uint8_t *buffer_reserve(struct buffer *buffer, size_t length)
{
    if (length < buffer->capacity - buffer->length && length <= buffer->limit - buffer->length)
        return buffer->data + buffer->length;
    return buffer_grow(buffer, length);
}

bool buffer_append(struct buffer *buffer, const void *data, size_t length);
bool buffer_append_slice(struct buffer *buffer, struct slice slice);
bool buffer_append_text(struct buffer *buffer, const char *text); // without the zero byte
bool buffer_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Removes `length` bytes at the front.
void buffer_consume(struct buffer *buffer, size_t length);

struct slice buffer_slice(const struct buffer *buffer);

// The contents as a C string; the zero byte is not counted in the length. Never NULL.
const char *buffer_string(struct buffer *buffer);

#endif
