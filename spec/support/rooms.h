// SPDX-License-Identifier: Apache-2.0
//
// The parts of the test-only Lua module `rooms`. Each function adds its names to the table on top
// of the stack.

#ifndef MESOS_LUA_SPEC_SUPPORT_ROOMS_H
#define MESOS_LUA_SPEC_SUPPORT_ROOMS_H

#include <lua.h>
#include <protobuf-c/protobuf-c.h>

void rooms_allocator_open(lua_State *L);    // [-0, +0, e]
void rooms_base_open(lua_State *L);         // [-0, +0, e]
void rooms_cluster_open(lua_State *L);      // [-0, +0, e]
void rooms_channels_open(lua_State *L);     // [-0, +0, e]
void rooms_descriptors_open(lua_State *L);  // [-0, +0, e]
void rooms_differential_open(lua_State *L); // [-0, +0, e]
void rooms_loop_open(lua_State *L);         // [-0, +0, e]
void rooms_message_open(lua_State *L);      // [-0, +0, e]
void rooms_offers_open(lua_State *L);       // [-0, +0, e]
void rooms_recordio_open(lua_State *L);     // [-0, +0, e]
void rooms_reply_open(lua_State *L);        // [-0, +0, e]
void rooms_state_open(lua_State *L);        // [-0, +0, e]
void rooms_subscription_open(lua_State *L); // [-0, +0, e]
void rooms_world_open(lua_State *L);        // [-0, +0, e]
void rooms_tasks_open(lua_State *L);        // [-0, +0, e]

// The message type that is named at `index`. // [-0, +0, v]
const ProtobufCMessageDescriptor *rooms_check_type(lua_State *L, int index);

#endif
