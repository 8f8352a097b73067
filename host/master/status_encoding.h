// SPDX-License-Identifier: Apache-2.0
//
// A TaskStatus as bytes: those that protobuf-c writes. Each update is written twice, for its
// framework and for the record of its task, and a walk over the descriptors of its ten messages
// would take most of the time of an update; so what nearly all of them have is written field by
// field.

#ifndef MESOS_LUA_MASTER_STATUS_ENCODING_H
#define MESOS_LUA_MASTER_STATUS_ENCODING_H

#include "base/buffer.h"

#include "mesos/v1/mesos.pb-c.h"

// Both append to a buffer that has no cap.
void status_encoding_put(struct buffer *out, const Mesos__V1__TaskStatus *status);
void status_encoding_put_container(struct buffer *out, const Mesos__V1__ContainerStatus *status);

// Appends the event UPDATE with that status.
void status_encoding_put_event(struct buffer *out, const Mesos__V1__TaskStatus *status);

#endif
