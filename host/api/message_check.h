// SPDX-License-Identifier: Apache-2.0
//
// Messages as the structs of protobuf-c, the way C programs hand them over. protobuf-c packs what
// it is given: where a required field is missing it writes garbage or reads through a null pointer.
// So a caller's struct is checked by its descriptor before it is packed, and an error names the
// path of the field.

#ifndef MESOS_LUA_API_MESSAGE_CHECK_H
#define MESOS_LUA_API_MESSAGE_CHECK_H

#include "base/buffer.h"
#include "base/error.h"

#include <protobuf-c/protobuf-c.h>

// True if `message` is a complete message of that type: required fields present, no null pointers
// in lists, nesting at most 64 deep. `path` is its name in the error ("tasks[2]"); fields within it
// follow after a dot.
bool message_check_message(const void *message, const ProtobufCMessageDescriptor *type,
                           const char *path, struct error *err);

// True if `message` is not NULL and of that type: then the whole struct may be read.
bool message_check_type(const void *message, const ProtobufCMessageDescriptor *type,
                        const char *path, struct error *err);

// message_check_message() of a list of messages; `path` is the name of the list.
bool message_check_list(const void *messages, size_t count, const ProtobufCMessageDescriptor *type,
                        const char *path, struct error *err);

// Appends the packed form of a checked message. False at the buffer's cap.
bool message_check_pack(const void *message, struct buffer *buffer, struct error *err);

#endif
