// SPDX-License-Identifier: Apache-2.0
//
// Writes a JSON document from the outside to the inside, straight into a buffer: documents of a
// large cluster are long, and are not built as trees. A value is the next member of the object that
// is open, by its key, or with NULL the next item of the list that is open.

#ifndef MESOS_LUA_OPERATOR_JSON_WRITER_H
#define MESOS_LUA_OPERATOR_JSON_WRITER_H

#include "base/buffer.h"

#include <protobuf-c/protobuf-c.h>

#define JSON_WRITER_LIMIT ((size_t)256 << 20) // bytes of a document

struct json_writer {
    struct buffer *out;
    bool comma;  // before the next value
    bool failed; // the buffer is at its cap: the document is not whole
};

void json_writer_open(struct json_writer *writer, const char *key); // an object
void json_writer_close(struct json_writer *writer);
void json_writer_list(struct json_writer *writer, const char *key);
void json_writer_end(struct json_writer *writer);

void json_writer_text(struct json_writer *writer, const char *key, const char *text); // NULL is ""
void json_writer_bytes(struct json_writer *writer, const char *key, const char *text,
                       size_t length);
void json_writer_base64(struct json_writer *writer, const char *key, struct slice bytes);
void json_writer_double(struct json_writer *writer, const char *key, double value);
void json_writer_integer(struct json_writer *writer, const char *key, int64_t value);
void json_writer_truth(struct json_writer *writer, const char *key, bool value);
void json_writer_message(struct json_writer *writer, const char *key,
                         const ProtobufCMessage *message);

// The name of a value of an enum.
void json_writer_name(struct json_writer *writer, const char *key,
                      const ProtobufCEnumDescriptor *type, int value);

#endif
