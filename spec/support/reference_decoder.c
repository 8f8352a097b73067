// SPDX-License-Identifier: Apache-2.0
//
// Fields on the wire: see reference_decoder.h.

#include "reference_decoder.h"

enum { LONGEST_VARINT = 10, LONGEST_HEAD = 5, DEEPEST_GROUP = 64 };

static const uint64_t largest_number = (1u << 29) - 1;

bool field_varint(struct slice *rest, uint64_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < LONGEST_VARINT && i < rest->length; i++) {
        *value |= (uint64_t)(rest->data[i] & 0x7f) << (7 * i);
        if (rest->data[i] & 0x80)
            continue;
        *rest = (struct slice){rest->data + i + 1, rest->length - i - 1};
        return true;
    }
    return false;
}

static bool take(struct slice *rest, uint64_t length, struct slice *taken)
{
    if (length > rest->length)
        return false;
    *taken = (struct slice){rest->data, (size_t)length};
    *rest = (struct slice){rest->data + length, rest->length - (size_t)length};
    return true;
}

static bool take_varint(struct slice *rest, struct slice *taken)
{
    uint64_t value;
    struct slice before = *rest;
    if (!field_varint(rest, &value))
        return false;
    *taken = (struct slice){before.data, before.length - rest->length};
    return true;
}

static bool read_field(struct slice *rest, struct field *field, int depth);

// What is between its beginning and its end, and the end.
static bool take_group(struct slice *rest, struct field *group, int depth)
{
    enum { END = 4 };
    struct slice before = *rest;
    struct field field;
    group->stretched = true;
    while (depth <= DEEPEST_GROUP && read_field(rest, &field, depth + 1)) {
        if (field.type != END)
            continue;
        group->value = (struct slice){before.data, before.length - rest->length};
        return field.number == group->number;
    }
    return false;
}

static bool take_value(struct slice *rest, struct field *field, int depth)
{
    uint64_t length;
    size_t before = rest->length;
    switch (field->type) {
    case FIELD_VARINT:
        return take_varint(rest, &field->value);
    case FIELD_EIGHT:
        return take(rest, 8, &field->value);
    case FIELD_FOUR:
        return take(rest, 4, &field->value);
    case FIELD_BYTES:
        if (!field_varint(rest, &length))
            return false;
        field->stretched = field->stretched || before - rest->length > LONGEST_HEAD;
        return take(rest, length, &field->value);
    case FIELD_GROUP:
        return take_group(rest, field, depth);
    default:
        return depth > 1 && field->type == 4;
    }
}

// Inside of so many groups less one.
static bool read_field(struct slice *rest, struct field *field, int depth)
{
    uint64_t tag;
    struct slice before = *rest;
    *field = (struct field){0};
    if (!field_varint(rest, &tag))
        return false;
    field->number = tag >> 3;
    field->type = tag & 7;
    field->stretched = before.length - rest->length > LONGEST_HEAD;
    if (field->number == 0 || field->number > largest_number || !take_value(rest, field, depth))
        return false;
    field->whole = (struct slice){before.data, before.length - rest->length};
    return true;
}

bool field_next(struct slice *rest, struct field *field)
{
    return read_field(rest, field, 1);
}

unsigned field_wire_type(ProtobufCType type)
{
    static const uint8_t types[] = {
        [PROTOBUF_C_TYPE_STRING] = FIELD_BYTES,  [PROTOBUF_C_TYPE_BYTES] = FIELD_BYTES,
        [PROTOBUF_C_TYPE_MESSAGE] = FIELD_BYTES, [PROTOBUF_C_TYPE_DOUBLE] = FIELD_EIGHT,
        [PROTOBUF_C_TYPE_FIXED64] = FIELD_EIGHT, [PROTOBUF_C_TYPE_SFIXED64] = FIELD_EIGHT,
        [PROTOBUF_C_TYPE_FLOAT] = FIELD_FOUR,    [PROTOBUF_C_TYPE_FIXED32] = FIELD_FOUR,
        [PROTOBUF_C_TYPE_SFIXED32] = FIELD_FOUR,
    };
    return types[type];
}

const ProtobufCFieldDescriptor *field_descriptor(const ProtobufCMessageDescriptor *type,
                                                 uint64_t number)
{
    for (unsigned i = 0; i < type->n_fields; i++)
        if (type->fields[i].id == number)
            return &type->fields[i];
    return NULL;
}

void field_put_varint(struct buffer *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        buffer_append(out, &(uint8_t){(uint8_t)(value | 0x80)}, 1);
    buffer_append(out, &(uint8_t){(uint8_t)value}, 1);
}

void field_put_tag(struct buffer *out, uint64_t number, unsigned type)
{
    field_put_varint(out, number << 3 | type);
}

void field_put_bytes(struct buffer *out, uint64_t number, struct slice bytes)
{
    field_put_tag(out, number, FIELD_BYTES);
    field_put_varint(out, bytes.length);
    buffer_append_slice(out, bytes);
}
