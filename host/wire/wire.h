// SPDX-License-Identifier: Apache-2.0
//
// Protocol buffers on the wire, read in place and written by hand: for code that needs a few fields
// of a received message, or walks all of them by descriptor, without unpacking it. A reader never
// looks past its slice; once it has met something malformed it stays at its end with `bad` set.

#ifndef MESOS_LUA_WIRE_WIRE_H
#define MESOS_LUA_WIRE_WIRE_H

#include "base/buffer.h"
#include "base/error.h"

#include <protobuf-c/protobuf-c.h>

#include <endian.h>
#include <string.h>

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_GROUP = 3, // no field known here is one: read as a whole, without its content
    WIRE_FIXED32 = 5,
};

struct wire {
    const uint8_t *at, *end;
    bool bad;
};

struct wire_field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;     // of WIRE_VARINT, WIRE_FIXED64, WIRE_FIXED32
    struct slice bytes; // of WIRE_BYTES
};

static inline struct wire wire_open(struct slice message)
{
    static const uint8_t nothing[1]; // NULL + 0 is undefined
    const uint8_t *at = message.data != NULL ? message.data : nothing;
    return (struct wire){.at = at, .end = at + message.length};
}

// The quick way for the most frequent fields: a tag of one byte; a varint of one, a length of one
// or two, or eight fixed bytes. False with nothing read if the field is another one, or malformed.
static inline bool wire_next_short(struct wire *wire, struct wire_field *field)
{
    const uint8_t *at = wire->at;
    size_t room = (size_t)(wire->end - at), length, head = 2;
    if (room < 2 || at[0] >= 0x80 || at[0] < 8)
        return false;
    field->number = at[0] >> 3;
    field->type = (enum wire_type)(at[0] & 7);
    field->value = length = at[1];
    if (field->type == WIRE_BYTES) {
        if (length >= 0x80) {
            if (room < 3 || at[2] >= 0x80)
                return false;
            length = (length & 0x7f) | (size_t)at[2] << 7;
            head = 3;
        }
        if (length > room - head)
            return false;
        field->bytes = (struct slice){.data = at + head, .length = length};
        wire->at = at + head + length;
        return true;
    }
    field->bytes = (struct slice){.data = NULL};
    if (field->type == WIRE_FIXED64 && room > 8) {
        memcpy(&field->value, at + 1, sizeof field->value);
        field->value = le64toh(field->value);
        wire->at = at + 9;
        return true;
    }
    wire->at = field->type == WIRE_VARINT && length < 0x80 ? at + 2 : at;
    return wire->at != at;
}

bool wire_next_long(struct wire *wire, struct wire_field *field); // any field

// False at the end, or when the rest is malformed. The slow way gets copies, so that the compiler
// may keep the caller's in registers.
static inline __attribute__((always_inline)) bool wire_next(struct wire *wire,
                                                            struct wire_field *field)
{
    if (wire_next_short(wire, field))
        return true;
    if (wire->at == wire->end)
        return false;
    struct wire rest = *wire;
    struct wire_field next = {.number = 0};
    bool found = wire_next_long(&rest, &next);
    *wire = rest;
    *field = next;
    return found;
}

bool wire_seek_long(struct wire *wire, uint32_t number, struct slice *bytes);

// The next field of that number and type WIRE_BYTES. Fields with a tag of one byte and a length
// of one or two cost a few instructions each. False at the end.
static inline bool wire_seek(struct wire *wire, uint32_t number, struct slice *bytes)
{
    const uint8_t *at = wire->at, *end = wire->end;
    while (end - at >= 3) {
        const uint8_t *content = at + 2;
        if ((at[0] & 0x87) == WIRE_VARINT && at[1] < 0x80 && at[0] >= 8) {
            at = content;
            continue;
        }
        if ((at[0] & 0x87) != WIRE_BYTES)
            break;
        size_t length = at[1];
        if (length >= 0x80) {
            if (at[2] >= 0x80)
                break;
            length = (length & 0x7f) | (size_t)at[2] << 7;
            content++;
        }
        if (length > (size_t)(end - content))
            break;
        bool found = at[0] >> 3 == number;
        at = content + length;
        if (found) {
            *bytes = (struct slice){.data = content, .length = length};
            wire->at = at;
            return true;
        }
    }
    wire->at = at;
    return at != end && wire_seek_long(wire, number, bytes);
}

// The last field of that number, of any type. False if there is none.
bool wire_last_long(struct wire *wire, uint32_t number, struct wire_field *field);

// The same with few instructions for each field that has a tag of one byte, and a number of one or
// a length of one or two. It begins where the first field is that is another one.
static inline bool wire_last(struct slice message, uint32_t number, struct wire_field *field)
{
    struct wire wire = wire_open(message);
    const uint8_t *at = wire.at, *end = wire.end, *found = NULL;
    while (end - at >= 3 && at[0] >= 8 && at[0] < 0x80) {
        size_t size = 2, room = (size_t)(end - at);
        unsigned type = at[0] & 7;
        if (type == WIRE_BYTES && at[1] < 0x80)
            size += at[1];
        else if (type == WIRE_BYTES && at[2] < 0x80)
            size = 3 + ((at[1] & 0x7f) | (size_t)at[2] << 7);
        else if (type == WIRE_FIXED64)
            size = 9;
        else if (type != WIRE_VARINT || at[1] >= 0x80)
            break;
        if (size > room)
            break;
        found = at[0] >> 3 == number ? at : found;
        at += size;
    }
    if (found != NULL) {
        struct wire one = {.at = found, .end = at};
        wire_next(&one, field);
    }
    wire.at = at;
    bool later = at != end && wire_last_long(&wire, number, field);
    return found != NULL || later;
}

// Values of a packed repeated field of that wire type, any but WIRE_BYTES.
bool wire_element(struct wire *packed, enum wire_type type, uint64_t *value);

// How a value of that type lies on the wire, if it is not packed.
static inline enum wire_type wire_type_of(ProtobufCType type)
{
    static const uint8_t types[] = {
        [PROTOBUF_C_TYPE_DOUBLE] = WIRE_FIXED64,   [PROTOBUF_C_TYPE_FIXED64] = WIRE_FIXED64,
        [PROTOBUF_C_TYPE_SFIXED64] = WIRE_FIXED64, [PROTOBUF_C_TYPE_FLOAT] = WIRE_FIXED32,
        [PROTOBUF_C_TYPE_FIXED32] = WIRE_FIXED32,  [PROTOBUF_C_TYPE_SFIXED32] = WIRE_FIXED32,
        [PROTOBUF_C_TYPE_STRING] = WIRE_BYTES,     [PROTOBUF_C_TYPE_BYTES] = WIRE_BYTES,
        [PROTOBUF_C_TYPE_MESSAGE] = WIRE_BYTES, // all others are varints, which is 0
    };
    return (enum wire_type)types[type];
}

// The field of that number, or NULL. Most types number their fields without gaps, so the first
// guess is mostly right.
static inline const ProtobufCFieldDescriptor *
wire_descriptor(const ProtobufCMessageDescriptor *type, uint32_t number)
{
    if (number - 1 < type->n_fields && type->fields[number - 1].id == number)
        return &type->fields[number - 1];
    return protobuf_c_message_descriptor_get_field(type, number);
}

// The name of a type without its package: "Event.Offers".
const char *wire_message_name(const ProtobufCMessageDescriptor *type);

// The last field of that number and type WIRE_BYTES in `message`, or an empty slice with data NULL.
struct slice wire_find(struct slice message, uint32_t number);
bool wire_find_varint(struct slice message, uint32_t number, uint64_t *value); // likewise

bool wire_occurs(struct wire rest, uint32_t number); // true if such a field is in what is left

// An enum value: only the lower 32 bits count.
bool wire_find_enum(struct slice message, uint32_t number, int32_t *value);

// The text of an id: field 1, which most often is all of it.
static inline struct slice wire_text(struct slice id)
{
    bool only = id.length >= 2 && id.length < 0x82 && id.data[0] == (1 << 3 | WIRE_BYTES) &&
                id.data[1] == id.length - 2;
    return only ? (struct slice){.data = id.data + 2, .length = id.length - 2} : wire_find(id, 1);
}

// wire_seek() over what is left of a message: advances `rest`.
bool wire_next_bytes(struct slice *rest, uint32_t number, struct slice *bytes);

// True if `message` is a well-formed message of that type: all lengths and varints whole, wire
// types those of the fields, required fields there, nesting at most 64 deep. Unknown fields and
// enum values are fine. The error names the field path, list elements counted from 0. Where a
// singular message occurs several times, which adds up to one, each is excused from having its
// required fields.
// `*to_merge` tells whether a singular message in it comes in several parts, or whether there is an
// unknown group: wire_merge() writes it without either.
bool wire_validate(struct slice message, const ProtobufCMessageDescriptor *type, bool *to_merge,
                   struct error *err);

// The number of the elements in a list of the program's own, which is not a message of Mesos. Those
// of Mesos have theirs in wire/field_numbers.h.
enum { WIRE_LIST = 1 };

// Writers; false at the buffer's cap.
bool wire_put_varint(struct buffer *buffer, uint32_t number, uint64_t value);
bool wire_put_fixed64(struct buffer *buffer, uint32_t number, uint64_t value);
bool wire_put_fixed32(struct buffer *buffer, uint32_t number, uint32_t value);
bool wire_put_double(struct buffer *buffer, uint32_t number, double value);
bool wire_put_bytes(struct buffer *buffer, uint32_t number, struct slice bytes);
bool wire_put_id(struct buffer *buffer, uint32_t number, struct slice text); // a message of that

// The beginning of a message of that length, which is appended next.
bool wire_put_head(struct buffer *buffer, uint32_t number, size_t length);

size_t wire_id_size(uint32_t number, size_t length); // of what wire_put_id() appends

// A nested message of unknown length: begin returns a mark for end. Between the two, append its
// fields. At the cap the mark is 0, and end returns false for it.
size_t wire_begin(struct buffer *buffer, uint32_t number);
bool wire_end(struct buffer *buffer, size_t mark);

#endif
