// SPDX-License-Identifier: Apache-2.0
//
// What `check` is given in place of received messages: real objects, over messages without any
// field, so that they answer to a name as they would in the script.

#ifndef MESOS_LUA_BINDINGS_MESSAGE_MESSAGE_SAMPLE_H
#define MESOS_LUA_BINDINGS_MESSAGE_MESSAGE_SAMPLE_H

#include "script/lint.h"

#include <lua.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

void message_sample_push(lua_State *L, const ProtobufCMessageDescriptor *type);      // [-0, +1, e]
void message_sample_push_view(lua_State *L, const ProtobufCMessageDescriptor *type); // the same

// For struct lint_parameter: an enum reads as the name of one of its values, or as a number. If the
// field of that message type (`type`) is one and has no such value, pushes the finding.
// // [-0, +1|0, e]
// What a table has to be like to be encoded as a message: `data` is the descriptor.
extern const struct lint_type message_sample_type;

#define MESSAGE_SHAPE(name)                                                                        \
    {                                                                                              \
        .type = &message_sample_type, .data = &mesos__v1__##name##__descriptor                     \
    }
#define MESSAGE_LIST_SHAPE(name)                                                                   \
    {                                                                                              \
        .type = &message_sample_type, .data = &mesos__v1__##name##__descriptor, .list = true       \
    }

// The same for an enum, whose descriptor is `data`.
extern const struct lint_type message_sample_enum;

// The same for a table with these names only.
struct message_sample_names {
    const char *what;                // the keys are: "mesos.exec: option"
    const char *const *names;        // ended by NULL
    const struct lint_shape *shapes; // for each name, or NULL
};

extern const struct lint_type message_sample_table;

bool message_sample_never(lua_State *L, const void *type, const char *field, const char *text);

#endif
