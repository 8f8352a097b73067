// SPDX-License-Identifier: Apache-2.0
//
// Messages in the text format of protobuf, as Mesos writes them in some of its errors: the fields
// that are set in the order of their numbers, two spaces deeper in each message.

#ifndef MESOS_LUA_WIRE_TEXT_FORMAT_H
#define MESOS_LUA_WIRE_TEXT_FORMAT_H

#include "base/buffer.h"

#include <protobuf-c/protobuf-c.h>

// What does not fit under the buffer's cap is left out.
void text_format_write(const ProtobufCMessage *message, struct buffer *out);

#endif
