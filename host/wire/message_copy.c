// SPDX-License-Identifier: Apache-2.0
//
// A copy of a message: see message_copy.h. The struct is copied as it is, and then each field that
// points to something is given its own.

#include "wire/message_copy.h"

#include "base/memory.h"

#include <stdbool.h>
#include <string.h>

typedef ProtobufCFieldDescriptor Field;

static void *copy_block(const void *data, size_t size)
{
    return size > 0 ? memcpy(memory_new(size), data, size) : NULL;
}

static size_t size_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
        return 4;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 8;
    }
}

// A default value is the type's, and is not freed.
static char *copy_string(const Field *field, char *text)
{
    if (text == NULL)
        return field->label == PROTOBUF_C_LABEL_REQUIRED ? memory_string("") : NULL;
    return text == field->default_value ? text : memory_string(text);
}

static void own_bytes(const Field *field, ProtobufCBinaryData *bytes)
{
    const ProtobufCBinaryData *usual = field->default_value;
    if (usual == NULL || bytes->data != usual->data)
        bytes->data = copy_block(bytes->data, bytes->len);
}

// Gives a value, which is still that of the original, what it points to.
static void own_value(const Field *field, void *value)
{
    if (field->type == PROTOBUF_C_TYPE_STRING)
        *(char **)value = copy_string(field, *(char **)value);
    else if (field->type == PROTOBUF_C_TYPE_BYTES)
        own_bytes(field, value);
    else if (field->type == PROTOBUF_C_TYPE_MESSAGE && *(void **)value != NULL)
        *(void **)value = message_copy(*(const ProtobufCMessage **)value);
}

static bool is_set(const Field *field, const char *message)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 ||
           *(const uint32_t *)(const void *)(message + field->quantifier_offset) == field->id;
}

static void own_list(const Field *field, char *message)
{
    size_t count = *(size_t *)(void *)(message + field->quantifier_offset);
    size_t size = size_of(field->type);
    char **list = (char **)(void *)(message + field->offset);
    *list = copy_block(*list, count * size);
    for (size_t i = 0; i < count; i++)
        own_value(field, *list + i * size);
}

static void own_unknown(ProtobufCMessage *copy)
{
    copy->unknown_fields =
        copy_block(copy->unknown_fields, copy->n_unknown_fields * sizeof *copy->unknown_fields);
    for (unsigned i = 0; i < copy->n_unknown_fields; i++)
        copy->unknown_fields[i].data =
            copy_block(copy->unknown_fields[i].data, copy->unknown_fields[i].len);
}

void *message_copy(const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    char *copy = copy_block(message, type->sizeof_message);
    for (unsigned i = 0; i < type->n_fields; i++) {
        const Field *field = &type->fields[i];
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            own_list(field, copy);
        else if (is_set(field, copy))
            own_value(field, copy + field->offset);
    }
    own_unknown((ProtobufCMessage *)(void *)copy);
    return copy;
}
