// SPDX-License-Identifier: Apache-2.0
//
// Bytes read in every way there is: what validation says, what views, tables and protobuf-c have.

#ifndef MESOS_LUA_SPEC_SUPPORT_DIFFERENTIAL_H
#define MESOS_LUA_SPEC_SUPPORT_DIFFERENTIAL_H

#include "base/buffer.h"

#include <lua.h>
#include <protobuf-c/protobuf-c.h>

// Raises where two of them differ. `oracle` is the index of view_oracle.lua's `check`. True if the
// bytes are a message of that type. Of an Event, the views are those that its callback gets.
// [-0, +0, v]
bool differential_check(lua_State *L, int oracle, const ProtobufCMessageDescriptor *type,
                        struct slice message);

#endif
