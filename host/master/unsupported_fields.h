// SPDX-License-Identifier: Apache-2.0
//
// What the local cluster does with each field that a framework can set: one table, so nothing is
// accepted and then ignored. A field without a row is refused, and makes a spec fail.

#ifndef MESOS_LUA_MASTER_UNSUPPORTED_FIELDS_H
#define MESOS_LUA_MASTER_UNSUPPORTED_FIELDS_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

enum field_support {
    SUPPORT_DONE,      // carried out; a message as the rows of its fields say
    SUPPORT_COMPARED,  // as a whole, by the rules of resources: what no agent has is not available
    SUPPORT_METADATA,  // without effect in a real cluster either, or of no consequence here
    SUPPORT_CONTAINED, // for tasks that run in a container, otherwise refused
    SUPPORT_REFUSED,
};

struct unsupported_fields_row {
    const char *message; // without the package: "CommandInfo.URI"
    const char *field;
    enum field_support support;
    const char *reason; // of one that is or may be refused: why, and what to do instead
};

const struct unsupported_fields_row *unsupported_fields_row(size_t index); // NULL behind the last

// The row of a field, or NULL.
const struct unsupported_fields_row *unsupported_fields_find(const ProtobufCMessageDescriptor *type,
                                                             const char *field);

// The error text for the first field of the message that is set and refused, with its path;
// NULL if there is none. free() it. `contained`: the task runs in a container.
char *unsupported_fields_fault(const ProtobufCMessage *message, bool contained);

#endif
