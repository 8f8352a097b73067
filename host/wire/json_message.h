// SPDX-License-Identifier: Apache-2.0
//
// Messages as the master reads and writes them in JSON: field names as in the .proto, enums as
// names, bytes in base64, 64-bit integers as plain numbers, doubles always with a decimal point, no
// white space. The fields that are set are written and, as a real master does, the defaults of
// absent ones unless the field is deprecated. On reading, fields that the type lacks are ignored.

#ifndef MESOS_LUA_CLUSTER_JSON_MESSAGE_H
#define MESOS_LUA_CLUSTER_JSON_MESSAGE_H

#include "base/buffer.h"
#include "base/error.h"

#include <protobuf-c/protobuf-c.h>

// The most values in a text. It bounds the memory that reading takes: each needs about 200 bytes.
#define JSON_MESSAGE_VALUES ((size_t)200000)

// False at the buffer's cap.
bool json_message_write(const ProtobufCMessage *message, struct buffer *out);

// The message of that type, to be freed with protobuf_c_message_free_unpacked(), or NULL and an
// error in the words of a master: "Failed to parse body into JSON: ..." or "Failed to convert JSON
// into <name> protobuf: ...".
ProtobufCMessage *json_message_read(const ProtobufCMessageDescriptor *type, struct slice text,
                                    struct error *err);

#endif
