// SPDX-License-Identifier: Apache-2.0
//
// Protocol buffers on the wire, read in place and written by hand: for whoever looks at a few
// fields of a received message, or walks all of them by descriptor, without unpacking it. A reader
// never looks past its slice; once it has met something malformed it stays at its end with `bad`
// set.

#ifndef MESOS_LUA_MESOS_WIRE_H
#define MESOS_LUA_MESOS_WIRE_H

#include "base/buffer.h"
#include "base/error.h"

#include <protobuf-c/protobuf-c.h>

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

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

// The quick way for the most frequent fields, those whose tag takes one byte, and their length or
// varint too. False with nothing read if the field is another one, or malformed.
static inline bool wire_next_short(struct wire *wire, struct wire_field *field)
{
    const uint8_t *at = wire->at;
    size_t room = (size_t)(wire->end - at);
    if (room < 2 || at[0] >= 0x80 || at[0] < 8 || at[1] >= 0x80)
        return false;
    field->number = at[0] >> 3;
    if ((at[0] & 7) == WIRE_BYTES && at[1] <= room - 2) {
        field->type = WIRE_BYTES;
        field->value = 0;
        field->bytes = (struct slice){.data = at + 2, .length = at[1]};
        wire->at = at + 2 + at[1];
        return true;
    }
    field->type = WIRE_VARINT;
    field->value = at[1];
    field->bytes = (struct slice){.data = NULL};
    wire->at = (at[0] & 7) == WIRE_VARINT ? at + 2 : at;
    return wire->at != at;
}

bool wire_next_long(struct wire *wire, struct wire_field *field); // any field

// False at the end, or when the rest is malformed.
static inline bool wire_next(struct wire *wire, struct wire_field *field)
{
    return wire_next_short(wire, field) || wire_next_long(wire, field);
}

// Varints of a packed repeated field.
bool wire_varint(struct wire *wire, uint64_t *value);

// Values of a packed repeated field of that wire type, any but WIRE_BYTES.
bool wire_element(struct wire *packed, enum wire_type type, uint64_t *value);

// How a value of that type lies on the wire, if it is not packed.
enum wire_type wire_type_of(ProtobufCType type);

// The field of that number, or NULL.
const ProtobufCFieldDescriptor *wire_descriptor(const ProtobufCMessageDescriptor *type,
                                                uint32_t number);

// The name of a type without its package: "Event.Offers".
const char *wire_message_name(const ProtobufCMessageDescriptor *type);

// The last field of that number and type WIRE_BYTES in `message`, or an empty slice with data NULL.
struct slice wire_find(struct slice message, uint32_t number);
bool wire_find_varint(struct slice message, uint32_t number, uint64_t *value); // likewise

// An enum value, of which 32 bits count, however many there are.
bool wire_find_enum(struct slice message, uint32_t number, int32_t *value);

// The next field of that number and type WIRE_BYTES: advances `rest`. False at the end.
bool wire_next_bytes(struct slice *rest, uint32_t number, struct slice *bytes);

// Is `message` a well-formed message of that type: all lengths and varints whole, wire types those
// of the fields, required fields there, nesting at most 64 deep? Unknown fields and enum values are
// fine. The error names the field path, list elements counted from 0. Where a singular message
// occurs several times, which adds up to one, each is excused from having its required fields.
bool wire_validate(struct slice message, const ProtobufCMessageDescriptor *type, struct error *err);

// Validates a message that was received. If a singular message in it comes in several parts, `*it`
// is replaced by a block in which they are joined (see wire_merge.h), and none is excused from its
// required fields. Those who read what was accepted need not think of parts.
bool wire_accept(struct bytes **it, const ProtobufCMessageDescriptor *type, struct error *err);

// Writers; false at the buffer's cap.
bool wire_put_varint(struct buffer *buffer, uint32_t number, uint64_t value);
bool wire_put_fixed64(struct buffer *buffer, uint32_t number, uint64_t value);
bool wire_put_fixed32(struct buffer *buffer, uint32_t number, uint32_t value);
bool wire_put_double(struct buffer *buffer, uint32_t number, double value);
bool wire_put_bytes(struct buffer *buffer, uint32_t number, struct slice bytes);

// A nested message of unknown length: begin returns a mark for end. Between the two, append its
// fields. At the cap the mark is 0, and end returns false for it.
size_t wire_begin(struct buffer *buffer, uint32_t number);
bool wire_end(struct buffer *buffer, size_t mark);

#endif
