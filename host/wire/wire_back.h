// SPDX-License-Identifier: Apache-2.0
//
// A message that is written from its end to its beginning: what is nested stands there before its
// length is put in front of it, so that no length is counted beforehand and nothing is moved.
// Fields are written in the reverse of the order that they are to have.
//
// The writer makes sure of the room: WIRE_BACK_NUMBER bytes for each number, and WIRE_BACK_HEAD,
// besides the content, for each text and each message. Fields have numbers below 2048.

#ifndef MESOS_LUA_WIRE_WIRE_BACK_H
#define MESOS_LUA_WIRE_WIRE_BACK_H

#include "wire/wire.h"

enum {
    WIRE_BACK_HEAD = 7,    // a tag and a length
    WIRE_BACK_NUMBER = 12, // a tag and a number
};

struct wire_back {
    uint8_t *at; // the first byte of what is written
};

static inline void wire_back_raw(struct wire_back *back, const void *data, size_t length)
{
    back->at -= length;
    if (length > 0)
        memcpy(back->at, data, length);
}

static inline void wire_back_value(struct wire_back *back, uint64_t value)
{
    uint8_t bytes[10];
    size_t length = 0;
    if (value < 0x80) {
        *--back->at = (uint8_t)value;
        return;
    }
    for (; value >= 0x80; value >>= 7)
        bytes[length++] = (uint8_t)(value | 0x80);
    bytes[length++] = (uint8_t)value;
    wire_back_raw(back, bytes, length);
}

static inline void wire_back_tag(struct wire_back *back, uint32_t number, enum wire_type type)
{
    wire_back_value(back, (uint64_t)number << 3 | type);
}

static inline void wire_back_varint(struct wire_back *back, uint32_t number, uint64_t value)
{
    wire_back_value(back, value);
    wire_back_tag(back, number, WIRE_VARINT);
}

// An enum's value is an int32: a negative one has ten bytes.
static inline void wire_back_enum(struct wire_back *back, uint32_t number, int value)
{
    wire_back_varint(back, number, (uint64_t)(int64_t)value);
}

static inline void wire_back_double(struct wire_back *back, uint32_t number, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = htole64(bits);
    wire_back_raw(back, &bits, sizeof bits);
    wire_back_tag(back, number, WIRE_FIXED64);
}

// Makes what was written since `end` was the first byte the content of a field.
static inline void wire_back_wrap(struct wire_back *back, uint32_t number, const uint8_t *end)
{
    wire_back_value(back, (uint64_t)(end - back->at));
    wire_back_tag(back, number, WIRE_BYTES);
}

static inline void wire_back_bytes(struct wire_back *back, uint32_t number, struct slice bytes)
{
    const uint8_t *end = back->at;
    wire_back_raw(back, bytes.data, bytes.length);
    wire_back_wrap(back, number, end);
}

// A message of that text alone, as ids are: a text and a message.
static inline void wire_back_id(struct wire_back *back, uint32_t number, struct slice text)
{
    const uint8_t *end = back->at;
    wire_back_bytes(back, 1, text);
    wire_back_wrap(back, number, end);
}

#endif
