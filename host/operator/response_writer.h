// SPDX-License-Identifier: Apache-2.0
//
// Writes a response of the v1 APIs from the outside to the inside, in protobuf or JSON, without the
// whole as a message: that of a large cluster is long. Fields are named as in the .proto. In JSON a
// list is written also if it is empty, as a master does.

#ifndef MESOS_LUA_OPERATOR_RESPONSE_WRITER_H
#define MESOS_LUA_OPERATOR_RESPONSE_WRITER_H

#include "operator/json_writer.h"

#include <protobuf-c/protobuf-c.h>

enum { RESPONSE_DEPTH = 6 };

struct response_level {
    const ProtobufCMessageDescriptor *type;
    size_t length_at; // where its length goes, in protobuf
};

struct response_writer {
    struct json_writer json;
    bool protobuf;
    struct response_level levels[RESPONSE_DEPTH];
    int depth;
    const ProtobufCFieldDescriptor *list;
};

// A message of that type; what it is written to is the buffer's.
void response_writer_begin(struct response_writer *writer, struct buffer *out, bool protobuf,
                           const ProtobufCMessageDescriptor *type);
bool response_writer_finish(struct response_writer *writer); // false: the buffer was at its cap

void response_writer_open(struct response_writer *writer, const char *field); // a message in it
void response_writer_close(struct response_writer *writer);
void response_writer_enum(struct response_writer *writer, const char *field, int value);
void response_writer_double(struct response_writer *writer, const char *field, double value);

void response_writer_truth(struct response_writer *writer, const char *field, bool value);
void response_writer_number(struct response_writer *writer, const char *field, uint64_t value);
void response_writer_bytes(struct response_writer *writer, const char *field, struct slice bytes);
void response_writer_message(struct response_writer *writer, const char *field,
                             const ProtobufCMessage *message);

void response_writer_list(struct response_writer *writer, const char *field); // of messages
void response_writer_item(struct response_writer *writer, const ProtobufCMessage *message);
void response_writer_end(struct response_writer *writer);

#endif
