// SPDX-License-Identifier: Apache-2.0
//
// Responses, piece by piece; see the header. The length of a message in protobuf stands in front of
// it and is known when it is closed: it always has five bytes, which readers take as well.

#include "operator/response_writer.h"

#include "wire/json_message.h"

#include <string.h>

enum { LENGTH_BYTES = 5, VARINT_BYTES = 10, WIRE_VARINT = 0, WIRE_DOUBLE = 1, WIRE_BYTES = 2 };

static void append(struct response_writer *writer, const void *bytes, size_t length)
{
    struct json_writer *json = &writer->json;
    if (length == 0)
        return;
    json->failed = !buffer_append(json->out, bytes, length) || json->failed;
}

static void append_varint(struct response_writer *writer, uint64_t value)
{
    uint8_t bytes[VARINT_BYTES];
    size_t length = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[length++] = (uint8_t)(value | 0x80);
    bytes[length++] = (uint8_t)value;
    append(writer, bytes, length);
}

static const ProtobufCFieldDescriptor *field_of(const struct response_writer *writer,
                                                const char *name)
{
    return protobuf_c_message_descriptor_get_field_by_name(writer->levels[writer->depth].type,
                                                           name);
}

static void append_tag(struct response_writer *writer, const ProtobufCFieldDescriptor *field,
                       unsigned wire_type)
{
    append_varint(writer, (uint64_t)field->id << 3 | wire_type);
}

// Five bytes for any length.
static void set_length(struct response_writer *writer, size_t at)
{
    struct buffer *out = writer->json.out;
    if (writer->json.failed)
        return;
    size_t length = out->length - at - LENGTH_BYTES;
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        out->data[at + i] = (uint8_t)((length >> 7 * i & 0x7f) | (i + 1 < LENGTH_BYTES ? 0x80 : 0));
}

void response_writer_begin(struct response_writer *writer, struct buffer *out, bool protobuf,
                           const ProtobufCMessageDescriptor *type)
{
    *writer = (struct response_writer){.json = {.out = out}, .protobuf = protobuf};
    writer->levels[0].type = type;
    if (!protobuf)
        json_writer_open(&writer->json, NULL);
}

bool response_writer_finish(struct response_writer *writer)
{
    if (!writer->protobuf)
        json_writer_close(&writer->json);
    return !writer->json.failed;
}

void response_writer_open(struct response_writer *writer, const char *name)
{
    const ProtobufCFieldDescriptor *field = field_of(writer, name);
    struct response_level *level = &writer->levels[++writer->depth];
    level->type = field->descriptor;
    if (!writer->protobuf) {
        json_writer_open(&writer->json, name);
        return;
    }
    append_tag(writer, field, WIRE_BYTES);
    level->length_at = writer->json.out->length;
    append(writer, "\0\0\0\0\0", LENGTH_BYTES);
}

void response_writer_close(struct response_writer *writer)
{
    if (writer->protobuf)
        set_length(writer, writer->levels[writer->depth].length_at);
    else
        json_writer_close(&writer->json);
    writer->depth--;
}

void response_writer_enum(struct response_writer *writer, const char *name, int value)
{
    const ProtobufCFieldDescriptor *field = field_of(writer, name);
    if (!writer->protobuf) {
        json_writer_name(&writer->json, name, field->descriptor, value);
        return;
    }
    append_tag(writer, field, WIRE_VARINT);
    append_varint(writer, (uint64_t)value);
}

void response_writer_double(struct response_writer *writer, const char *name, double value)
{
    if (!writer->protobuf) {
        json_writer_double(&writer->json, name, value);
        return;
    }
    append_tag(writer, field_of(writer, name), WIRE_DOUBLE);
    append(writer, &value, sizeof value);
}

void response_writer_truth(struct response_writer *writer, const char *name, bool value)
{
    if (!writer->protobuf) {
        json_writer_truth(&writer->json, name, value);
        return;
    }
    append_tag(writer, field_of(writer, name), WIRE_VARINT);
    append_varint(writer, value);
}

void response_writer_number(struct response_writer *writer, const char *name, uint64_t value)
{
    if (!writer->protobuf) {
        json_writer_integer(&writer->json, name, (int64_t)value);
        return;
    }
    append_tag(writer, field_of(writer, name), WIRE_VARINT);
    append_varint(writer, value);
}

void response_writer_bytes(struct response_writer *writer, const char *name, struct slice bytes)
{
    if (!writer->protobuf) {
        json_writer_base64(&writer->json, name, bytes);
        return;
    }
    append_tag(writer, field_of(writer, name), WIRE_BYTES);
    append_varint(writer, bytes.length);
    append(writer, bytes.data, bytes.length);
}

static void append_message(struct response_writer *writer, const ProtobufCFieldDescriptor *field,
                           const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    append_tag(writer, field, WIRE_BYTES);
    append_varint(writer, size);
    uint8_t *room = buffer_reserve(writer->json.out, size);
    if (room == NULL)
        writer->json.failed = true;
    else
        writer->json.out->length += protobuf_c_message_pack(message, room);
}

void response_writer_message(struct response_writer *writer, const char *name,
                             const ProtobufCMessage *message)
{
    if (writer->protobuf)
        append_message(writer, field_of(writer, name), message);
    else
        json_writer_message(&writer->json, name, message);
}

void response_writer_list(struct response_writer *writer, const char *name)
{
    writer->list = field_of(writer, name);
    if (!writer->protobuf)
        json_writer_list(&writer->json, name);
}

void response_writer_item(struct response_writer *writer, const ProtobufCMessage *message)
{
    if (writer->protobuf)
        append_message(writer, writer->list, message);
    else
        json_writer_message(&writer->json, NULL, message);
}

void response_writer_end(struct response_writer *writer)
{
    if (!writer->protobuf)
        json_writer_end(&writer->json);
}
