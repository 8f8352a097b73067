// SPDX-License-Identifier: Apache-2.0
//
// Messages as the structs of protobuf-c, the way C programs hand them over. protobuf-c packs what
// it is given: where something is missing it writes nonsense or reads through a null pointer. So a
// struct of somebody else's is looked over by descriptor before it is packed, and what is wrong
// with it is told by the path of the field.

#ifndef MESOS_LUA_API_MESSAGE_CHECK_H
#define MESOS_LUA_API_MESSAGE_CHECK_H

#include "base/buffer.h"
#include "base/error.h"

#include <protobuf-c/protobuf-c.h>

// Is `message` a whole message of that type: required fields there, no null pointers in lists,
// nesting at most 64 deep? `path` is what the error calls it ("tasks[2]"); the fields within it are
// named behind a dot.
bool message_check_check(const void *message, const ProtobufCMessageDescriptor *type,
                         const char *path, struct error *err);

// Only: is there a message, and of that type? Then the whole struct may be read.
bool message_check_check_type(const void *message, const ProtobufCMessageDescriptor *type,
                              const char *path, struct error *err);

// message_check_check() of a list of messages; `path` is the name of the list.
bool message_check_check_list(const void *messages, size_t count,
                              const ProtobufCMessageDescriptor *type, const char *path,
                              struct error *err);

// Appends the packed form of a checked message. False at the buffer's cap.
bool message_check_pack(const void *message, struct buffer *buffer, struct error *err);

#endif
