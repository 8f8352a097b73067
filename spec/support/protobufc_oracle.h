// SPDX-License-Identifier: Apache-2.0
//
// What protobuf-c makes of a message, to compare with. It does not take all that the wire format
// allows, so it is given a plain form of the message: each singular message once, with all its
// occurrences added up, tags, lengths and numbers no longer than they need be (of a boolean it
// looks at bits beyond the 64th), unknown fields left out.

#ifndef MESOS_LUA_SPEC_SUPPORT_UNPACKED_H
#define MESOS_LUA_SPEC_SUPPORT_UNPACKED_H

#include "base/buffer.h"

#include <lua.h>
#include <protobuf-c/protobuf-c.h>

struct unpacked_form {
    bool merged;     // a singular message occurs several times
    bool stretched;  // protobuf-c refuses the original for a long tag or length, or a group
    bool overlooked; // it is malformed in a way that protobuf-c lets pass
};

// Appends the plain form; false if the message is malformed, required fields aside, but for those
// that have a default, which protobuf-c does not ask for.
bool unpacked_plain_form(struct slice message, const ProtobufCMessageDescriptor *type,
                         struct buffer *out, struct unpacked_form *form);

// Pushes a userdata that owns what protobuf-c unpacked and returns that; NULL, and nil, if it
// refused. // [-0, +1, m]
const ProtobufCMessage *unpacked_push(lua_State *L, const ProtobufCMessageDescriptor *type,
                                      struct slice message);

// Raises, naming the path, unless the value at `index`, a view or a table, has what `message` has.
// [-0, +0, v]
void unpacked_compare(lua_State *L, int index, const ProtobufCMessage *message);

#endif
