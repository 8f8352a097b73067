// SPDX-License-Identifier: Apache-2.0
//
// The heads of fields, for those that walk plain messages as quickly as they can: tags of fields
// below WIRE_HEAD_NUMBERS and lengths of up to 28 bits. What is longer is left to readers that take
// all.

#ifndef MESOS_LUA_WIRE_WIRE_HEAD_H
#define MESOS_LUA_WIRE_WIRE_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_HEAD_NUMBERS = 64, WIRE_HEAD_TAGS = WIRE_HEAD_NUMBERS << 3 };

// Reads a tag of one or two bytes, of which there is one; 0 if it is longer than that, or stands
// for no field.
static inline const uint8_t *wire_head_tag(const uint8_t *at, const uint8_t *end, unsigned *tag)
{
    *tag = *at++;
    if (*tag < 0x80)
        return at;
    bool second = at < end && *at < (WIRE_HEAD_TAGS >> 7);
    *tag = second ? (*tag & 0x7f) | (unsigned)*at++ << 7 : 0;
    return at;
}

static inline const uint8_t *wire_head_long_length(const uint8_t *at, const uint8_t *end,
                                                   size_t *length)
{
    *length = 0;
    for (unsigned shift = 0; shift < 28 && at < end; shift += 7) {
        *length |= (size_t)(*at & 0x7f) << shift;
        if (*at++ < 0x80)
            return *length <= (size_t)(end - at) ? at : NULL;
    }
    return NULL;
}

// Returns where so many bytes begin; NULL if they are not there.
static inline const uint8_t *wire_head_length(const uint8_t *at, const uint8_t *end, size_t *length)
{
    if (at == end || *at >= 0x80)
        return wire_head_long_length(at, end, length);
    *length = *at++;
    return *length <= (size_t)(end - at) ? at : NULL;
}

// Returns what is behind so many bytes; NULL if they are not there.
static inline const uint8_t *wire_head_skip(const uint8_t *at, const uint8_t *end, size_t size)
{
    return size <= (size_t)(end - at) ? at + size : NULL;
}

#endif
