// SPDX-License-Identifier: Apache-2.0
//
// Samples of messages: see message_sample.h.

#include "bindings/message/message_sample.h"

#include "bindings/core/hints.h"
#include "bindings/message/message_decode.h"
#include "bindings/message/view.h"

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
