// SPDX-License-Identifier: Apache-2.0
//
// A message may arrive in parts: all occurrences of a field that holds one message add up to it.
// Masters do not send that on purpose, but protocol buffers allow it. Here the parts are joined
// once, so that readers of the bytes find a single occurrence.

#ifndef MESOS_LUA_WIRE_WIRE_MERGE_H
#define MESOS_LUA_WIRE_WIRE_MERGE_H

#include "base/bytes.h"

#include <protobuf-c/protobuf-c.h>

// The same message with each singular message in one part and without groups, however deep;
// everything else is as it was. The bytes must be well-formed, required fields aside. The block is
// the caller's.
struct bytes *wire_merge(struct slice message, const ProtobufCMessageDescriptor *type);

#endif
