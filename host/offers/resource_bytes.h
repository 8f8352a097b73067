// SPDX-License-Identifier: Apache-2.0
//
// A resource as a message of Mesos, written and read by hand where it is an unreserved scalar or
// ranges, as nearly all are; the others are left to protobuf-c. The bytes are the same.

#ifndef MESOS_LUA_OFFERS_RESOURCE_BYTES_H
#define MESOS_LUA_OFFERS_RESOURCE_BYTES_H

#include "base/buffer.h"

#include "mesos/v1/mesos.pb-c.h"

// Appends to a buffer that has no cap.
void resource_bytes_put(struct buffer *out, const Mesos__V1__Resource *resource);

// The resource of bytes that resource_bytes_put() wrote; the caller's.
Mesos__V1__Resource *resource_bytes_read(struct slice bytes);

#endif
