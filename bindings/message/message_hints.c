// SPDX-License-Identifier: Apache-2.0
//
// The forms of messages: see message_hints.h. They are derived from the descriptor where that is
// possible; rows have the others. Values are left out of what is shown: an environment may hold a
// secret.

#include "bindings/message/message_hints.h"

#include "wire/wire.h"

#include <stdbool.h>
#include <string.h>

static const struct {
    const char *type, *form;
} rows[] = {
    {"CommandInfo", ": write { value = \"echo hello\" }"},
    {"CommandInfo.URI", ": write { value = \"/path/of/a/file\" } for each"},
    {"DurationInfo", ": write { nanoseconds = 5000000000 } for 5 s"},
    {"Filters", ": write { refuse_seconds = 5 }"},
    {"FrameworkInfo.Capability", ": write { type = \"GPU_RESOURCES\" } for each"},
    {"Label", ": write { key = \"a\", value = \"b\" } for each"},
    {"Resource", ": mesos.resources { cpus = 1, mem = 32 } makes one"},
};

static const char *row_form(const ProtobufCMessageDescriptor *type)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].type, wire_message_name(type)) == 0)
            return rows[i].form;
    return "";
}

static bool has_field(const ProtobufCMessageDescriptor *type, const char *name)
{
    return protobuf_c_message_descriptor_get_field_by_name(type, name) != NULL;
}

// The field that names a pair, as `key` of Label and `name` of Environment.Variable; or NULL.
static const char *name_of_pair(const ProtobufCMessageDescriptor *type)
{
    static const char *const names[] = {"key", "name"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (has_field(type, names[i]) && has_field(type, "value"))
            return names[i];
    return NULL;
}

// The only field of the type, if that is a list of messages; or NULL.
static const ProtobufCFieldDescriptor *only_list(const ProtobufCMessageDescriptor *type)
{
    const ProtobufCFieldDescriptor *field = type->fields;
    bool list = type->n_fields == 1 && field->label == PROTOBUF_C_LABEL_REPEATED &&
                field->type == PROTOBUF_C_TYPE_MESSAGE;
    return list ? field : NULL;
}

const char *message_hints_message(lua_State *L, const ProtobufCMessageDescriptor *type)
{
    return lua_pushstring(L, row_form(type));
}

const char *message_hints_around(lua_State *L, const ProtobufCMessageDescriptor *type)
{
    const ProtobufCFieldDescriptor *list = only_list(type);
    if (list == NULL)
        return lua_pushliteral(L, "");
    const char *name = name_of_pair(list->descriptor);
    if (name == NULL)
        return lua_pushfstring(L, ": write { %s = { ... } }", list->name);
    return lua_pushfstring(L, ": write { %s = { { %s = \"...\", value = \"...\" } } }", list->name,
                           name);
}

const char *message_hints_pairs(lua_State *L, const ProtobufCMessageDescriptor *type,
                                const char *key)
{
    const ProtobufCFieldDescriptor *list = only_list(type);
    const char *name = list ? name_of_pair(list->descriptor) : NULL;
    if (name == NULL)
        return lua_pushliteral(L, "");
    return lua_pushfstring(L, ": write { %s = { { %s = \"%s\", value = \"...\" } } }", list->name,
                           name, key);
}

const char *message_hints_list(lua_State *L, const ProtobufCMessageDescriptor *type,
                               const char *key)
{
    if (type == NULL)
        return lua_pushliteral(L, "");
    if (key == NULL)
        return message_hints_message(L, type);
    const char *name = name_of_pair(type);
    if (has_field(type, key))
        return lua_pushfstring(L, ": put braces around it: { { %s = ... } }", key);
    if (name != NULL)
        return lua_pushfstring(L, ": write { { %s = \"%s\", value = \"...\" } }", name, key);
    return message_hints_message(L, type);
}
