// SPDX-License-Identifier: Apache-2.0
//
// Fields of a message on the wire, read the slow and plain way, apart from the host's own reader:
// for oracles, which must not share its mistakes, and for mutations, which look at broken messages.

#ifndef MESOS_LUA_SPEC_SUPPORT_FIELD_H
#define MESOS_LUA_SPEC_SUPPORT_FIELD_H

#include "base/buffer.h"

#include <protobuf-c/protobuf-c.h>

enum { FIELD_VARINT = 0, FIELD_EIGHT = 1, FIELD_BYTES = 2, FIELD_GROUP = 3, FIELD_FOUR = 5 };

struct field {
    uint64_t number;
    unsigned type;      // 0 to 7
    struct slice whole; // with its tag
    struct slice value; // without its tag and length
    bool stretched;     // not for protobuf-c: a tag or length of more than 5 bytes, or a group
};

// The first field of `rest`, which is advanced; `rest` may not be empty. False if it is malformed
// or of a number that cannot be.
bool field_next(struct slice *rest, struct field *field);

// Reads a varint at the front of `rest` and advances it.
bool field_varint(struct slice *rest, uint64_t *value);

// How a value of that type lies on the wire.
unsigned field_wire_type(ProtobufCType type);

// The field of that number, or NULL.
const ProtobufCFieldDescriptor *field_descriptor(const ProtobufCMessageDescriptor *type,
                                                 uint64_t number);

void field_put_varint(struct buffer *out, uint64_t value);
void field_put_tag(struct buffer *out, uint64_t number, unsigned type);
void field_put_bytes(struct buffer *out, uint64_t number, struct slice bytes);

#endif
