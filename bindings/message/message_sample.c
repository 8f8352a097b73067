// SPDX-License-Identifier: Apache-2.0
//
// Samples of messages: see message_sample.h.

#include "bindings/message/message_sample.h"

#include "bindings/core/hints.h"
#include "bindings/message/arguments.h"
#include "bindings/message/message_decode.h"
#include "bindings/message/message_hints.h"
#include "bindings/message/message_type.h"
#include "bindings/message/view.h"

#include <string.h>

static const char package[] = "mesos.v1.";
static const struct slice nothing = {.data = (const uint8_t *)"", .length = 0};

void message_sample_push(lua_State *L, const ProtobufCMessageDescriptor *type)
{
    message_decode(L, type, nothing);
}

void message_sample_push_view(lua_State *L, const ProtobufCMessageDescriptor *type)
{
    struct bytes *block = bytes_copy("", 0);
    view_push(L, type, block, nothing);
    bytes_unref(block);
}

bool message_sample_never(lua_State *L, const void *type, const char *field, const char *text)
{
    const ProtobufCFieldDescriptor *found =
        protobuf_c_message_descriptor_get_field_by_name(type, field);
    if (found == NULL || found->type != PROTOBUF_C_TYPE_ENUM ||
        protobuf_c_enum_descriptor_get_value_by_name(found->descriptor, text) != NULL)
        return false;
    const char *meant = hints_push(L, text, message_type_enum_name, found->descriptor);
    lua_pushfstring(L, "%s is never '%s'%s", field, text, meant);
    return true;
}

// ---- tables that are encoded ----

static struct lint_shape shape_of(const ProtobufCFieldDescriptor *field)
{
    struct lint_shape shape = {.data = field->descriptor, .list = message_type_is_repeated(field)};
    if (message_type_is_map(field))
        return (struct lint_shape){.type = NULL};
    if (message_type_is_message(field))
        shape.type = &message_sample_type;
    else if (field->type == PROTOBUF_C_TYPE_ENUM)
        shape.type = &message_sample_enum;
    return shape;
}

static bool check_field(lua_State *L, const void *data, const char *name, struct lint_shape *value)
{
    const ProtobufCMessageDescriptor *type = data;
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(type, name);
    if (field != NULL) {
        *value = shape_of(field);
        return true;
    }
    const struct message_type *shape = message_type_get(L, type);
    int top = lua_gettop(L);
    const char *meant = message_type_suggestion(L, shape, name);
    const char *pairs = message_hints_pairs(L, type, name);
    lua_pushfstring(L, "unknown field '%s' in %s%s", name, shape->name, *pairs ? pairs : meant);
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
    return false;
}

static void refuse_for_list(lua_State *L, const void *data, const char *name)
{
    int top = lua_gettop(L);
    const char *hint = message_hints_list(L, data, name);
    lua_pushfstring(L, "a list expected, got a table with the field '%s'%s", name, hint);
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}

static bool check_enum(lua_State *L, const void *data, const char *text)
{
    const ProtobufCEnumDescriptor *type = data;
    if (protobuf_c_enum_descriptor_get_value_by_name(type, text) != NULL)
        return true;
    const char *meant = hints_push(L, text, message_type_enum_name, type);
    const char *name = strncmp(type->name, package, strlen(package)) == 0
                           ? type->name + strlen(package)
                           : type->name;
    lua_pushfstring(L, "there is no %s '%s'%s", name, text, meant);
    lua_replace(L, -2);
    return false;
}

const struct lint_type message_sample_type = {.field = check_field, .no_list = refuse_for_list};
const struct lint_type message_sample_enum = {.text = check_enum};

// ---- tables with names ----

static bool check_name(lua_State *L, const void *data, const char *name, struct lint_shape *value)
{
    const struct message_sample_names *keys = data;
    for (size_t i = 0; keys->names[i] != NULL; i++) {
        if (strcmp(keys->names[i], name) != 0)
            continue;
        if (keys->shapes != NULL)
            *value = keys->shapes[i];
        return true;
    }
    arguments_push_unknown(L, name, keys->names, keys->what);
    return false;
}

const struct lint_type message_sample_table = {.field = check_name};
