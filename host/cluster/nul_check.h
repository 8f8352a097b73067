// SPDX-License-Identifier: Apache-2.0
//
// Texts with a NUL in them. A C string ends there, so that a task id "a\0b" would silently become
// "a"; such a call is refused before it is unpacked.

#ifndef MESOS_LUA_CLUSTER_NUL_CHECK_H
#define MESOS_LUA_CLUSTER_NUL_CHECK_H

#include "base/bytes.h"
#include "base/error.h"

#include <protobuf-c/protobuf-c.h>

// False, and the path of the first text of the packed message that has a NUL. What is malformed is
// left to the unpacking.
bool nul_check(struct slice message, const ProtobufCMessageDescriptor *type, struct error *err);

#endif
