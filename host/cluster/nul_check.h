// SPDX-License-Identifier: Apache-2.0
//
// Finds texts with a NUL in them. A C string ends there, so a task id "a\0b" would silently become
// "a"; such a call is refused before it is unpacked.

#ifndef MESOS_LUA_CLUSTER_NUL_CHECK_H
#define MESOS_LUA_CLUSTER_NUL_CHECK_H

#include "base/bytes.h"
#include "base/error.h"

#include <protobuf-c/protobuf-c.h>

// False, and an error with the path of the first text with a NUL in the packed message. A malformed
// message is left to the unpacking, which fails.
bool nul_check(struct slice message, const ProtobufCMessageDescriptor *type, struct error *err);

#endif
