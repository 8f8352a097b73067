// SPDX-License-Identifier: Apache-2.0
//
// Joining the parts of messages: see wire_merge.h. The whole stands where the last part was, and
// the others are left out, and so are groups, which no library that we read with knows; a part that
// lies before another member of its oneof counts no more, as that member replaced it. What is
// written is never longer than what was read.

#include "wire/wire_merge.h"

#include "base/buffer.h"
#include "wire/wire.h"

#include <string.h>

static void write_message(struct slice message, const ProtobufCMessageDescriptor *type,
                          struct buffer *out);

static bool is_rival(const ProtobufCFieldDescriptor *a, const ProtobufCFieldDescriptor *b)
{
    return b != NULL && a != b && (a->flags & b->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
           a->quantifier_offset == b->quantifier_offset;
}

// Appends the parts of `field` in `message`.
static void join_parts(struct slice message, const ProtobufCMessageDescriptor *type,
                       const ProtobufCFieldDescriptor *field, struct buffer *out)
{
    struct wire wire = wire_open(message);
    for (struct wire_field it; wire_next(&wire, &it);) {
        if (it.number == field->id)
            buffer_append_slice(out, it.bytes);
        else if (is_rival(field, wire_descriptor(type, it.number)))
            buffer_clear(out);
    }
}

static void write_nested(uint32_t number, struct slice message,
                         const ProtobufCMessageDescriptor *type, struct buffer *out)
{
    size_t mark = wire_begin(out, number);
    write_message(message, type, out);
    wire_end(out, mark);
}

static void write_joined(struct slice message, const ProtobufCMessageDescriptor *type,
                         const ProtobufCFieldDescriptor *field, struct buffer *out)
{
    struct buffer whole;
    buffer_init(&whole, message.length);
    join_parts(message, type, field, &whole);
    write_nested(field->id, buffer_slice(&whole), field->descriptor, out);
    buffer_free(&whole);
}

static void write_message(struct slice message, const ProtobufCMessageDescriptor *type,
                          struct buffer *out)
{
    struct wire wire = wire_open(message);
    const uint8_t *at = wire.at;
    for (struct wire_field it; wire_next(&wire, &it); at = wire.at) {
        const ProtobufCFieldDescriptor *field = wire_descriptor(type, it.number);
        if (it.type == WIRE_GROUP)
            continue;
        if (field == NULL || field->type != PROTOBUF_C_TYPE_MESSAGE)
            buffer_append(out, at, (size_t)(wire.at - at));
        else if (field->label == PROTOBUF_C_LABEL_REPEATED)
            write_nested(it.number, it.bytes, field->descriptor, out);
        else if (!wire_occurs(wire, it.number))
            write_joined(message, type, field, out);
    }
}

struct bytes *wire_merge(struct slice message, const ProtobufCMessageDescriptor *type)
{
    struct buffer out;
    buffer_init(&out, message.length);
    write_message(message, type, &out);
    struct bytes *merged = bytes_copy(out.data, out.length);
    buffer_free(&out);
    return merged;
}
