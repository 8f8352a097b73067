// SPDX-License-Identifier: Apache-2.0
//
// What the local cluster does with each field that a framework can set: one table, so that nothing
// is taken and then ignored. A field that has no row is refused, and a spec fails.

#ifndef MESOS_LUA_CLUSTER_FIELD_SUPPORT_H
#define MESOS_LUA_CLUSTER_FIELD_SUPPORT_H

#include <protobuf-c/protobuf-c.h>

enum field_support {
    SUPPORT_DONE,     // carried out; of a message, as its own fields say
    SUPPORT_COMPARED, // as a whole, by the rules of resources: what no agent has is not available
    SUPPORT_METADATA, // means nothing to a real cluster either, or makes no difference here
    SUPPORT_REFUSED,
};

struct field_support_row {
    const char *message; // without the package: "CommandInfo.URI"
    const char *field;
    enum field_support support;
    const char *reason; // of a refused one: why, and what to do instead
};

const struct field_support_row *field_support_row(size_t index); // NULL behind the last

// The row of a field, or NULL.
const struct field_support_row *field_support_find(const ProtobufCMessageDescriptor *type,
                                                   const char *field);

// The first field of the message that is set and refused, in words that name its path in it;
// NULL if there is none, else free() it.
char *field_support_fault(const ProtobufCMessage *message);

#endif
