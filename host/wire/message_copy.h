// SPDX-License-Identifier: Apache-2.0
//
// A copy of a message of protobuf-c, whatever its type. The caller's, to be freed like one that was
// unpacked.

#ifndef MESOS_LUA_WIRE_MESSAGE_COPY_H
#define MESOS_LUA_WIRE_MESSAGE_COPY_H

#include <protobuf-c/protobuf-c.h>

void *message_copy(const ProtobufCMessage *message);

#endif
