// SPDX-License-Identifier: Apache-2.0
//
// The text format; see the header. A message is walked by its descriptor.

#include "wire/text_format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef ProtobufCFieldDescriptor Field;

static void write_message(const ProtobufCMessage *message, int depth, struct buffer *out);

static void write_bytes(const uint8_t *bytes, size_t length, struct buffer *out)
{
    static const char escaped[] = "\n\r\t\"'\\", letters[] = "nrt\"'\\";
    buffer_append(out, "\"", 1);
    for (size_t i = 0; i < length; i++) {
        const char *found = bytes[i] ? strchr(escaped, bytes[i]) : NULL;
        if (found != NULL)
            buffer_format(out, "\\%c", letters[found - escaped]);
        else if (bytes[i] < 0x20 || bytes[i] >= 0x7f)
            buffer_format(out, "\\%03o", bytes[i]);
        else
            buffer_append(out, &bytes[i], 1);
    }
    buffer_append(out, "\"", 1);
}

// The shortest form that reads back as the same number.
static void write_double(double value, struct buffer *out)
{
    char text[32];
    snprintf(text, sizeof text, "%.15g", value);
    if (strtod(text, NULL) != value)
        snprintf(text, sizeof text, "%.17g", value);
    buffer_format(out, "%s", text);
}

static void write_enum(const Field *field, int32_t value, struct buffer *out)
{
    const ProtobufCEnumValue *known =
        protobuf_c_enum_descriptor_get_value(field->descriptor, value);
    if (known != NULL)
        buffer_format(out, "%s", known->name);
    else
        buffer_format(out, "%" PRId32, value);
}

static void write_integer(const Field *field, const void *at, struct buffer *out)
{
    int64_t wide;
    int32_t narrow;
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        memcpy(&wide, at, sizeof wide);
        buffer_format(out, "%" PRId64, wide);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        memcpy(&wide, at, sizeof wide);
        buffer_format(out, "%" PRIu64, (uint64_t)wide);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        memcpy(&narrow, at, sizeof narrow);
        buffer_format(out, "%" PRIu32, (uint32_t)narrow);
        break;
    default:
        memcpy(&narrow, at, sizeof narrow);
        buffer_format(out, "%" PRId32, narrow);
    }
}

static void write_scalar(const Field *field, const void *at, struct buffer *out)
{
    const char *text;
    ProtobufCBinaryData data;
    protobuf_c_boolean truth;
    double number;
    float small;
    int32_t value;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        memcpy(&text, at, sizeof text);
        write_bytes((const uint8_t *)text, strlen(text), out);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        memcpy(&data, at, sizeof data);
        write_bytes(data.data, data.len, out);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        memcpy(&truth, at, sizeof truth);
        buffer_format(out, "%s", truth ? "true" : "false");
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        memcpy(&number, at, sizeof number);
        write_double(number, out);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        memcpy(&small, at, sizeof small);
        write_double((double)small, out);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        memcpy(&value, at, sizeof value);
        write_enum(field, value, out);
        break;
    default:
        write_integer(field, at, out);
    }
}

static void write_value(const Field *field, const void *at, int depth, struct buffer *out)
{
    const ProtobufCMessage *message;
    buffer_format(out, "%*s%s", 2 * depth, "", field->name);
    if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
        buffer_append(out, ": ", 2);
        write_scalar(field, at, out);
        buffer_append(out, "\n", 1);
        return;
    }
    memcpy(&message, at, sizeof message);
    buffer_append(out, " {\n", 3);
    write_message(message, depth + 1, out);
    buffer_format(out, "%*s}\n", 2 * depth, "");
}

static size_t size_of(const Field *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    default:
        return 4;
    }
}

static void write_list(const ProtobufCMessage *message, const Field *field, int depth,
                       struct buffer *out)
{
    size_t count;
    const char *items;
    memcpy(&count, (const char *)message + field->quantifier_offset, sizeof count);
    memcpy(&items, (const char *)message + field->offset, sizeof items);
    for (size_t i = 0; i < count; i++)
        write_value(field, items + i * size_of(field), depth, out);
}

static bool is_set(const ProtobufCMessage *message, const Field *field)
{
    const void *value;
    protobuf_c_boolean present = true;
    if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE) {
        memcpy(&value, (const char *)message + field->offset, sizeof value);
        return value != NULL &&
               (field->label == PROTOBUF_C_LABEL_REQUIRED || value != field->default_value);
    }
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL)
        memcpy(&present, (const char *)message + field->quantifier_offset, sizeof present);
    return present;
}

static void write_message(const ProtobufCMessage *message, int depth, struct buffer *out)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const Field *field = &message->descriptor->fields[i];
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            write_list(message, field, depth, out);
        else if (is_set(message, field))
            write_value(field, (const char *)message + field->offset, depth, out);
    }
}

void text_format_write(const ProtobufCMessage *message, struct buffer *out)
{
    write_message(message, 0, out);
}
