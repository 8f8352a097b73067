// SPDX-License-Identifier: Apache-2.0
//
// The check that every received message passes before anything else reads it.

#ifndef MESOS_LUA_WIRE_WIRE_ACCEPT_H
#define MESOS_LUA_WIRE_WIRE_ACCEPT_H

#include "base/bytes.h"
#include "base/error.h"

#include <protobuf-c/protobuf-c.h>

// Validates a message that was received. If a singular message in it comes in several parts, or
// there is an unknown group, `*message` is replaced by a block in which the parts are joined and
// the groups left out (see wire_merge.h), and no part is excused from its required fields. Readers
// of an accepted message need not handle either.
bool wire_accept(struct bytes **message, const ProtobufCMessageDescriptor *type, struct error *err);

// The quick half of it: accepts messages that are plainly well-formed, at the speed of walking
// their bytes. True only if wire_validate() would be true as well. False decides nothing: packed
// fields, a message in several parts, numbers above 63 and malformed input are left to the half
// that reports what is wrong.
bool wire_accept_quickly(struct slice message, const ProtobufCMessageDescriptor *type);

// Validates a message without changing it, as wire_accept() does at first.
bool wire_accept_as_is(struct slice message, const ProtobufCMessageDescriptor *type,
                       struct error *err);

#endif
