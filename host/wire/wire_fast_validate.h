// SPDX-License-Identifier: Apache-2.0
//
// The quick half of validation: accepts messages that are plainly well-formed, at the speed of
// walking their bytes, and leaves all others to the half that reports what is wrong.

#ifndef MESOS_LUA_WIRE_WIRE_FAST_VALIDATE_H
#define MESOS_LUA_WIRE_WIRE_FAST_VALIDATE_H

#include "base/bytes.h"

#include <protobuf-c/protobuf-c.h>

// True only if wire_validate() would be true as well. False decides nothing: packed fields, a
// message in several parts, numbers above 63 and malformed input are left to wire_validate().
bool wire_fast_validate_accepts(struct slice message, const ProtobufCMessageDescriptor *type);

#endif
