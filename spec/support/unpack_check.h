// SPDX-License-Identifier: Apache-2.0
//
// Messages that are unpacked quickly, against what protobuf-c makes of the same bytes.

#ifndef MESOS_LUA_SPEC_SUPPORT_UNPACK_CHECK_H
#define MESOS_LUA_SPEC_SUPPORT_UNPACK_CHECK_H

#include "base/bytes.h"

#include <protobuf-c/protobuf-c.h>

enum unpack_verdict {
    UNPACK_REFUSED, // by protobuf-c, too
    UNPACK_LEFT,    // to protobuf-c, which takes it
    UNPACK_SAME,    // as protobuf-c has it
    UNPACK_DIFFERS,
};

enum unpack_verdict unpack_check(const ProtobufCMessageDescriptor *type, struct slice bytes);

#endif
