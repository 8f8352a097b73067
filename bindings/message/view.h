// SPDX-License-Identifier: Apache-2.0
//
// Received messages as read-only objects. Offers and statuses come in tens of thousands and a
// script looks at a few fields of each, so a view keeps the bytes and decodes a field when it is
// read:
//
//     view (userdata) -> anchor (userdata, one a block) -> struct bytes, which the subscription
//     shares
//
// Composite values that were read stay with their view, so reading again gives the same table;
// beyond the first few, a table of them stands between the view and the anchor. A short message
// that is most of its block is copied into its view instead.
//
// The bytes must have passed wire_accept(). A view answers to the names of its type's fields and
// to the members that its type was given with view_define(), which must not be names of fields.

#ifndef MESOS_LUA_BINDINGS_MESSAGE_VIEW_H
#define MESOS_LUA_BINDINGS_MESSAGE_VIEW_H

#include "base/bytes.h"

#include <lua.h>
#include <protobuf-c/protobuf-c.h>

// Pushes a view over `slice`, which lies in `block`; a reference on the block is taken. Of a type
// that is a plain value in Lua, that value. // [-0, +1, m]
void view_push(lua_State *L, const ProtobufCMessageDescriptor *type, struct bytes *block,
               struct slice slice);

// The class of the views of a type that is no plain value, which lives as long as the state, and a
// view of it. // [-0, +0, e] and [-0, +1, m]
struct view_class;
const struct view_class *view_class_of(lua_State *L, const ProtobufCMessageDescriptor *type);
void view_push_of(lua_State *L, const struct view_class *class, struct bytes *block,
                  struct slice slice);

// Pushes a list of views over `count` slices of one block, of a type that is no plain value.
// [-0, +1, m]
void view_push_list(lua_State *L, const ProtobufCMessageDescriptor *type, struct bytes *block,
                    const struct slice *slices, size_t count);

struct view_content {
    const ProtobufCMessageDescriptor *type;
    struct slice slice; // valid as long as the view
};

// What is at `index`, if it is a view of any type. // [-0, +0, -]
bool view_get(lua_State *L, int index, struct view_content *content);

// A member beyond the fields and `table`, which all views have. A method is called by the script
// with the view as its first argument; a getter pushes one value for the view at index 1. // [-0,
// +1, e]
struct view_member {
    const char *name;
    lua_CFunction method;
    void (*getter)(lua_State *L, const struct view_member *self, struct slice message, void *extra);
};

// Gives the views of a type members (ended by a NULL name, static) and `extra_size` bytes of their
// own, zeroed and aligned to 8, for their getters. At most VIEW_CACHED composite values, `cached`,
// are cached without a table, for 16 bytes of each view. `listed`: views of it come in long lists,
// and of many no more than ids and members are read; they are small until another field is read.
// Before the first view of that type. // [-0, +0, e]
enum { VIEW_CACHED = 3 };
void view_define(lua_State *L, const ProtobufCMessageDescriptor *type,
                 const struct view_member *members, size_t extra_size, int cached, bool listed);

// For getters: the value cached for that member, or nil; and caches the value at the top of the
// stack. Both for the view at index 1. // [-0, +1, -] and [-0, +0, m]
bool view_cached(lua_State *L, const struct view_member *member);
void view_cache(lua_State *L, const struct view_member *member);

// For methods: the message of the view at index 1, and what it has of its own. // [-0, +0, v]
void *view_self(lua_State *L, struct slice *message);

// Called by message_open(). // [-0, +0, e]
void view_open(lua_State *L);

#endif
