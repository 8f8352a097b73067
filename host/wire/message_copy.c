// SPDX-License-Identifier: Apache-2.0
//
// Copies of messages: see message_copy.h. The struct is copied as it is, and then each field that
// points to something is given its own: a block, or a part of the one block, whose size is counted
// beforehand by the same walk.

#include "wire/message_copy.h"

#include "base/memory.h"

#include <stdbool.h>
#include <string.h>

typedef ProtobufCFieldDescriptor Field;

// Where the parts of a copy go.
struct copy_room {
    char *next; // in the one block; NULL: each part is a block of its own
};

enum { ALIGNMENT = sizeof(void *) }; // of the parts of a block

static size_t aligned(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void *copy_part(struct copy_room *room, const void *data, size_t size)
{
    if (size == 0)
        return NULL;
    if (room->next == NULL)
        return memcpy(memory_resize(NULL, size), data, size);
    void *part = memcpy(room->next, data, size);
    room->next += aligned(size);
    return part;
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

static bool points(const Field *field)
{
    return field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE ||
           field->type == PROTOBUF_C_TYPE_BYTES;
}

static bool is_set(const Field *field, const char *message)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 ||
           *(const uint32_t *)(const void *)(message + field->quantifier_offset) == field->id;
}

// True if a singular field points to nothing, as most do.
static bool is_absent(const Field *field, const char *message)
{
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return false;
    return !points(field) || (field->label != PROTOBUF_C_LABEL_REQUIRED &&
                              *(void *const *)(const void *)(message + field->offset) == NULL);
}

static size_t count_of(const Field *field, const char *message)
{
    return *(const size_t *)(const void *)(message + field->quantifier_offset);
}

// The text that a copy gets, or NULL if it has the original's: a default value is the type's, and
// is not freed.
static const char *own_text(const Field *field, const char *text)
{
    if (text == NULL)
        return field->label == PROTOBUF_C_LABEL_REQUIRED ? "" : NULL;
    return text != field->default_value ? text : NULL;
}

static bool has_own_bytes(const Field *field, const ProtobufCBinaryData *bytes)
{
    const ProtobufCBinaryData *usual = field->default_value;
    return usual == NULL || bytes->data != usual->data;
}

// ---- counting ----

static size_t measure(const ProtobufCMessage *message);

static size_t measure_value(const Field *field, const void *value)
{
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *text = own_text(field, *(char *const *)value);
        return text ? aligned(strlen(text) + 1) : 0;
    }
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return has_own_bytes(field, value) ? aligned(((const ProtobufCBinaryData *)value)->len) : 0;
    const ProtobufCMessage *nested = *(ProtobufCMessage *const *)value;
    return nested ? measure(nested) : 0;
}

static size_t measure_list(const Field *field, const char *message)
{
    size_t count = count_of(field, message);
    if (count == 0)
        return 0;
    size_t size = size_of(field->type);
    const char *list = *(char *const *)(const void *)(message + field->offset);
    size_t sum = aligned(count * size);
    for (size_t i = 0; points(field) && i < count; i++)
        sum += measure_value(field, list + i * size);
    return sum;
}

static size_t measure_unknown(const ProtobufCMessage *message)
{
    size_t sum = aligned(message->n_unknown_fields * sizeof *message->unknown_fields);
    for (unsigned i = 0; i < message->n_unknown_fields; i++)
        sum += aligned(message->unknown_fields[i].len);
    return sum;
}

static size_t measure(const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    const char *base = (const char *)message;
    size_t sum = aligned(type->sizeof_message) + measure_unknown(message);
    for (unsigned i = 0; i < type->n_fields; i++) {
        const Field *field = &type->fields[i];
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            sum += measure_list(field, base);
        else if (!is_absent(field, base) && is_set(field, base))
            sum += measure_value(field, base + field->offset);
    }
    return sum;
}

// ---- copying ----

static void *copy_message(struct copy_room *room, const ProtobufCMessage *message);

// Gives a value, which is still that of the original, what it points to.
static void own_value(struct copy_room *room, const Field *field, void *value)
{
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *text = own_text(field, *(char **)value);
        if (text != NULL)
            *(char **)value = copy_part(room, text, strlen(text) + 1);
    } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
        ProtobufCBinaryData *bytes = value;
        if (has_own_bytes(field, bytes))
            bytes->data = copy_part(room, bytes->data, bytes->len);
    } else if (*(void **)value != NULL) {
        *(void **)value = copy_message(room, *(ProtobufCMessage **)value);
    }
}

static void own_list(struct copy_room *room, const Field *field, char *message)
{
    size_t count = count_of(field, message), size = count > 0 ? size_of(field->type) : 0;
    char **list = (char **)(void *)(message + field->offset);
    *list = copy_part(room, *list, count * size);
    for (size_t i = 0; points(field) && i < count; i++)
        own_value(room, field, *list + i * size);
}

static void own_unknown(struct copy_room *room, ProtobufCMessage *copy)
{
    copy->unknown_fields = copy_part(room, copy->unknown_fields,
                                     copy->n_unknown_fields * sizeof *copy->unknown_fields);
    for (unsigned i = 0; i < copy->n_unknown_fields; i++)
        copy->unknown_fields[i].data =
            copy_part(room, copy->unknown_fields[i].data, copy->unknown_fields[i].len);
}

static void *copy_message(struct copy_room *room, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    char *copy = copy_part(room, message, type->sizeof_message);
    for (unsigned i = 0; i < type->n_fields; i++) {
        const Field *field = &type->fields[i];
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            own_list(room, field, copy);
        else if (!is_absent(field, copy) && is_set(field, copy))
            own_value(room, field, copy + field->offset);
    }
    own_unknown(room, (ProtobufCMessage *)(void *)copy);
    return copy;
}

void *message_copy(const ProtobufCMessage *message)
{
    struct copy_room room = {NULL};
    return copy_message(&room, message);
}

void *message_copy_block(const ProtobufCMessage *message)
{
    struct copy_room room = {memory_resize(NULL, measure(message))};
    return copy_message(&room, message);
}
