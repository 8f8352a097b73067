// SPDX-License-Identifier: Apache-2.0
//
// The parts of the test-only Lua module `internals`. Each function adds its names to the table on
// top of the stack.

#ifndef MESOS_LUA_SPEC_SUPPORT_ROOMS_H
#define MESOS_LUA_SPEC_SUPPORT_ROOMS_H

#include "loop/loop.h"
#include "master/master.h"

#include <lua.h>
#include <protobuf-c/protobuf-c.h>

void internals_allocator_open(lua_State *L);    // [-0, +0, e]
void internals_base_open(lua_State *L);         // [-0, +0, e]
void internals_cluster_open(lua_State *L);      // [-0, +0, e]
void internals_children_open(lua_State *L);     // [-0, +0, e]
void internals_channels_open(lua_State *L);     // [-0, +0, e]
void internals_descriptors_open(lua_State *L);  // [-0, +0, e]
void internals_differential_open(lua_State *L); // [-0, +0, e]
void internals_direct_open(lua_State *L);       // [-0, +0, e]
void internals_encodings_open(lua_State *L);    // [-0, +0, e]
void internals_loop_open(lua_State *L);         // [-0, +0, e]
void internals_master_open(lua_State *L);       // [-0, +0, e]
void internals_message_open(lua_State *L);      // [-0, +0, e]
void internals_offers_open(lua_State *L);       // [-0, +0, e]
void internals_recordio_open(lua_State *L);     // [-0, +0, e]
void internals_reply_open(lua_State *L);        // [-0, +0, e]
void internals_books_open(lua_State *L);        // [-0, +0, e]
void internals_sim_open(lua_State *L);          // [-0, +0, e]
void internals_state_open(lua_State *L);        // [-0, +0, e]
void internals_subscription_open(lua_State *L); // [-0, +0, e]
void internals_world_open(lua_State *L);        // [-0, +0, e]
void internals_tasks_open(lua_State *L);        // [-0, +0, e]

// The message type that is named at `index`. // [-0, +0, v]
const ProtobufCMessageDescriptor *internals_check_type(lua_State *L, int index);

// The master at `index`, of internals.master(), and its loop. // [-0, +0, v]
struct master *internals_master_of(lua_State *L, int index, struct loop **loop);

#endif
