// SPDX-License-Identifier: Apache-2.0
//
// JSON, piece by piece; see the header.

#include "operator/json_writer.h"

#include "wire/json_message.h"
#include "wire/json_text.h"

#include <inttypes.h>

static void note(struct json_writer *writer, bool good)
{
    writer->failed = writer->failed || !good;
}

static void raw(struct json_writer *writer, const char *text)
{
    note(writer, buffer_append_text(writer->out, text));
}

static void lead(struct json_writer *writer, const char *key)
{
    if (writer->comma)
        raw(writer, ",");
    writer->comma = true;
    if (key == NULL)
        return;
    note(writer, json_text_string(key, writer->out));
    raw(writer, ":");
}

static void enter(struct json_writer *writer, const char *key, const char *bracket)
{
    lead(writer, key);
    raw(writer, bracket);
    writer->comma = false;
}

static void leave(struct json_writer *writer, const char *bracket)
{
    raw(writer, bracket);
    writer->comma = true;
}

void json_writer_open(struct json_writer *writer, const char *key)
{
    enter(writer, key, "{");
}

void json_writer_close(struct json_writer *writer)
{
    leave(writer, "}");
}

void json_writer_list(struct json_writer *writer, const char *key)
{
    enter(writer, key, "[");
}

void json_writer_end(struct json_writer *writer)
{
    leave(writer, "]");
}

void json_writer_text(struct json_writer *writer, const char *key, const char *text)
{
    lead(writer, key);
    note(writer, json_text_string(text ? text : "", writer->out));
}

void json_writer_bytes(struct json_writer *writer, const char *key, const char *text, size_t length)
{
    lead(writer, key);
    note(writer, json_text_bytes(text, length, writer->out));
}

void json_writer_base64(struct json_writer *writer, const char *key, struct slice bytes)
{
    lead(writer, key);
    note(writer, json_text_base64(bytes.data, bytes.length, writer->out));
}

void json_writer_double(struct json_writer *writer, const char *key, double value)
{
    lead(writer, key);
    note(writer, json_text_double(value, writer->out));
}

void json_writer_integer(struct json_writer *writer, const char *key, int64_t value)
{
    lead(writer, key);
    note(writer, buffer_format(writer->out, "%" PRId64, value));
}

void json_writer_truth(struct json_writer *writer, const char *key, bool value)
{
    lead(writer, key);
    raw(writer, value ? "true" : "false");
}

void json_writer_message(struct json_writer *writer, const char *key,
                         const ProtobufCMessage *message)
{
    lead(writer, key);
    note(writer, json_message_write(message, writer->out));
}

void json_writer_name(struct json_writer *writer, const char *key,
                      const ProtobufCEnumDescriptor *type, int value)
{
    const ProtobufCEnumValue *row = protobuf_c_enum_descriptor_get_value(type, value);
    json_writer_text(writer, key, row ? row->name : "");
}
