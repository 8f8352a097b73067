// SPDX-License-Identifier: Apache-2.0
//
// The generated descriptors as Lua tables. Which messages and enums exist is read from the
// generated headers (descriptors.inc is made from them in the build), so that nothing that the
// generator makes can be missed.
//
//   { messages = { ["mesos.v1.TaskInfo"] = { { number =, name =, label =, type =, default =,
//                                              oneof =, deprecated = }, ... } },
//     enums = { ["mesos.v1.TaskState"] = { TASK_RUNNING = 1, ... } } }
//
// `oneof` is a number, the same for all members of one: the generator does not keep its name.

#include "internals.h"

#include "mesos/v1/agent/agent.pb-c.h"
#include "mesos/v1/executor/executor.pb-c.h"
#include "mesos/v1/master/master.pb-c.h"
#include "mesos/v1/mesos.pb-c.h"
#include "mesos/v1/scheduler/scheduler.pb-c.h"

#include <lauxlib.h>

static const ProtobufCMessageDescriptor *const messages[] = {
#define MESSAGE(symbol) &symbol,
#define ENUM(symbol)
#include "descriptors.inc"
#undef MESSAGE
#undef ENUM
};

static const ProtobufCEnumDescriptor *const enums[] = {
#define MESSAGE(symbol)
#define ENUM(symbol) &symbol,
#include "descriptors.inc"
#undef MESSAGE
#undef ENUM
};

static const char *const labels[] = {
    [PROTOBUF_C_LABEL_REQUIRED] = "required",
    [PROTOBUF_C_LABEL_OPTIONAL] = "optional",
    [PROTOBUF_C_LABEL_REPEATED] = "repeated",
    [PROTOBUF_C_LABEL_NONE] = "none",
};

static const char *const types[] = {
    [PROTOBUF_C_TYPE_INT32] = "int32",       [PROTOBUF_C_TYPE_SINT32] = "sint32",
    [PROTOBUF_C_TYPE_SFIXED32] = "sfixed32", [PROTOBUF_C_TYPE_INT64] = "int64",
    [PROTOBUF_C_TYPE_SINT64] = "sint64",     [PROTOBUF_C_TYPE_SFIXED64] = "sfixed64",
    [PROTOBUF_C_TYPE_UINT32] = "uint32",     [PROTOBUF_C_TYPE_FIXED32] = "fixed32",
    [PROTOBUF_C_TYPE_UINT64] = "uint64",     [PROTOBUF_C_TYPE_FIXED64] = "fixed64",
    [PROTOBUF_C_TYPE_FLOAT] = "float",       [PROTOBUF_C_TYPE_DOUBLE] = "double",
    [PROTOBUF_C_TYPE_BOOL] = "bool",         [PROTOBUF_C_TYPE_STRING] = "string",
    [PROTOBUF_C_TYPE_BYTES] = "bytes",
};

// [-0, +1, m]
static void push_type(lua_State *L, const ProtobufCFieldDescriptor *field)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        lua_pushstring(L, ((const ProtobufCMessageDescriptor *)field->descriptor)->name);
    else if (field->type == PROTOBUF_C_TYPE_ENUM)
        lua_pushstring(L, ((const ProtobufCEnumDescriptor *)field->descriptor)->name);
    else
        lua_pushstring(L, types[field->type]);
}

// [-0, +1, e]
static void push_default(lua_State *L, const ProtobufCFieldDescriptor *field)
{
    const void *value = field->default_value;
    if (value == NULL)
        lua_pushnil(L);
    else if (field->type == PROTOBUF_C_TYPE_STRING)
        lua_pushstring(L, value);
    else if (field->type == PROTOBUF_C_TYPE_BOOL)
        lua_pushboolean(L, *(const protobuf_c_boolean *)value);
    else if (field->type == PROTOBUF_C_TYPE_DOUBLE)
        lua_pushnumber(L, *(const double *)value);
    else if (field->type == PROTOBUF_C_TYPE_INT32)
        lua_pushinteger(L, *(const int32_t *)value);
    else if (field->type == PROTOBUF_C_TYPE_UINT32)
        lua_pushinteger(L, *(const uint32_t *)value);
    else if (field->type == PROTOBUF_C_TYPE_ENUM)
        lua_pushstring(
            L, protobuf_c_enum_descriptor_get_value(field->descriptor, *(const int *)value)->name);
    else
        luaL_error(L, "no default values of type %s are known here", types[field->type]);
}

// [-0, +1, e]
static void push_field(lua_State *L, const ProtobufCFieldDescriptor *field)
{
    lua_newtable(L);
    lua_pushinteger(L, field->id);
    lua_setfield(L, -2, "number");
    lua_pushstring(L, field->name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, labels[field->label]);
    lua_setfield(L, -2, "label");
    push_type(L, field);
    lua_setfield(L, -2, "type");
    push_default(L, field);
    lua_setfield(L, -2, "default");
    lua_pushboolean(L, (field->flags & PROTOBUF_C_FIELD_FLAG_DEPRECATED) != 0);
    lua_setfield(L, -2, "deprecated");
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        lua_pushinteger(L, field->quantifier_offset);
        lua_setfield(L, -2, "oneof");
    }
}

// [-0, +1, e]
static void push_message(lua_State *L, const ProtobufCMessageDescriptor *message)
{
    lua_newtable(L);
    for (unsigned i = 0; i < message->n_fields; i++) {
        push_field(L, &message->fields[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

// [-0, +1, m]
static void push_enum(lua_State *L, const ProtobufCEnumDescriptor *type)
{
    lua_newtable(L);
    for (unsigned i = 0; i < type->n_value_names; i++) {
        lua_pushinteger(L, type->values[type->values_by_name[i].index].value);
        lua_setfield(L, -2, type->values_by_name[i].name);
    }
}

// internals.descriptors() -> the table above
static int l_descriptors(lua_State *L)
{
    lua_newtable(L);
    lua_newtable(L);
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        push_message(L, messages[i]);
        lua_setfield(L, -2, messages[i]->name);
    }
    lua_setfield(L, -2, "messages");
    lua_newtable(L);
    for (size_t i = 0; i < sizeof enums / sizeof *enums; i++) {
        push_enum(L, enums[i]);
        lua_setfield(L, -2, enums[i]->name);
    }
    lua_setfield(L, -2, "enums");
    return 1;
}

void internals_descriptors_open(lua_State *L)
{
    lua_pushcfunction(L, l_descriptors);
    lua_setfield(L, -2, "descriptors");
}
