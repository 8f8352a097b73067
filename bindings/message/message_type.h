// SPDX-License-Identifier: Apache-2.0
//
// What the codec needs of a message type in one Lua state (its shape): its descriptor, the keys of
// its fields as Lua strings, the metatable of its tables. It is made when the type is first used
// and lives as long as the state.

#ifndef MESOS_LUA_BINDINGS_MESSAGE_MESSAGE_TYPE_H
#define MESOS_LUA_BINDINGS_MESSAGE_MESSAGE_TYPE_H

#include "bindings/core/name_slots.h"

#include <lua.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

struct message_type {
    const ProtobufCMessageDescriptor *type;
    const char *name;  // without the package: "Resource.DiskInfo"
    int names;         // registry: position (from 1) -> name of the field
    int metatable;     // registry
    bool collapsed;    // its only field is `value`: it is that value in Lua
    bool range;        // its fields are `begin` and `end`: { first, last } is taken as well
    unsigned hint;     // fields of the last one that was decoded
    const void *views; // what view.c knows of its views, or NULL
    uint64_t required, oneofs, maps; // which fields are, one bit each
    struct name_slot *slots;         // of the names: position, from 1
    size_t slot_count;
    struct message_type *nested[]; // of each message field, once it was asked for
};

// The shape of a type, and of the type of its field at `position` (from 0). The stack has a free
// slot. // [-0, +0, e]
struct message_type *message_type_get(lua_State *L, const ProtobufCMessageDescriptor *type);
struct message_type *message_type_nested(lua_State *L, struct message_type *shape,
                                         unsigned position);

static inline bool message_type_is_repeated(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED;
}

static inline bool message_type_is_message(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_MESSAGE;
}

// True if they are different members of one oneof.
static inline bool message_type_same_oneof(const ProtobufCFieldDescriptor *a,
                                           const ProtobufCFieldDescriptor *b)
{
    return a != b && (a->flags & b->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
           a->quantifier_offset == b->quantifier_offset;
}

// True if the field is a map, a repeated message of a key and a value.
bool message_type_is_map(const ProtobufCFieldDescriptor *field);
static inline bool message_type_has_map(const struct message_type *shape, unsigned position)
{
    return shape->maps >> position % 64 & 1;
}

// The position (from 0) of the field that is named by the value at `index`, or -1. // [-0, +0, -]
static inline int message_type_position(lua_State *L, const struct message_type *shape, int index)
{
    return name_slots_find(shape->slots, shape->slot_count, lua_topointer(L, index)) - 1;
}

// Pushes " (did you mean 'command'?)" for a misspelt field, or "". // [-0, +1, m]
const char *message_type_suggestion(lua_State *L, const struct message_type *shape,
                                    const char *word);

// Raises "TaskStatus has no field 'stat' (did you mean 'state'?)" for the key at `index`.
int message_type_no_field(lua_State *L, const struct message_type *shape, int index); // [-0, +0, v]

// Names of the values of an enum, for suggest().
const char *message_type_enum_name(const void *descriptor, size_t index);

// Sets what `__tostring` of the tables of all types does. To be called before any type is met; the
// function finds its type with message_type_upvalue(). // [-0, +0, m]
void message_type_set_tostring(lua_State *L, lua_CFunction function);
struct message_type *
message_type_upvalue(lua_State *L); // of a method of such a table // [-0, +0, -]

#endif
