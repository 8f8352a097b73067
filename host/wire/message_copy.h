// SPDX-License-Identifier: Apache-2.0
//
// A copy of a message of protobuf-c, whatever its type.

#ifndef MESOS_LUA_WIRE_MESSAGE_COPY_H
#define MESOS_LUA_WIRE_MESSAGE_COPY_H

#include <protobuf-c/protobuf-c.h>

// The caller's, to be freed like one that was unpacked.
void *message_copy(const ProtobufCMessage *message);

// The same in one block, for messages that are read and not changed: free() it. Copying and
// freeing it take half of the time.
void *message_copy_block(const ProtobufCMessage *message);

#endif
