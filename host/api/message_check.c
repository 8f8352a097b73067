// SPDX-License-Identifier: Apache-2.0
//
// Looking over protobuf-c's structs: see structs.h. One walk by descriptor; the path is a text that
// grows and shrinks with it. What a field is called and where it lies is the descriptor's word.

#include "api/message_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH_MOST = 64 };

struct check_walk {
    char path[512];
    unsigned depth;
    struct error *err;
};

static bool check_message(struct check_walk *walk, const ProtobufCMessage *message,
                          const ProtobufCMessageDescriptor *type);

// ---- the path ----

// Appends to the path and returns where it ended before, for leave(). What does not fit is cut.
__attribute__((format(printf, 2, 3))) static size_t enter(struct check_walk *walk,
                                                          const char *format, ...)
{
    va_list args;
    size_t length = strlen(walk->path);
    va_start(args, format);
    vsnprintf(walk->path + length, sizeof walk->path - length, format, args);
    va_end(args);
    return length;
}

static bool leave(struct check_walk *walk, size_t mark, bool ok)
{
    walk->path[mark] = 0;
    return ok;
}

static bool complain(struct check_walk *walk, const char *what)
{
    return error_set(walk->err, ERROR_INVALID, "%s %s", walk->path, what);
}

// ---- values ----

static bool check_bytes(struct check_walk *walk, const ProtobufCBinaryData *bytes)
{
    if (bytes->len > 0 && bytes->data == NULL)
        return complain(walk, "has a length and no data");
    return true;
}

// The value that lies at `value`, of a field that is there.
static bool check_value(struct check_walk *walk, const ProtobufCFieldDescriptor *field,
                        const void *value)
{
    const void *pointer;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        memcpy(&pointer, value, sizeof pointer);
        return pointer != NULL || complain(walk, "is missing");
    case PROTOBUF_C_TYPE_MESSAGE:
        memcpy(&pointer, value, sizeof pointer);
        return check_message(walk, pointer, field->descriptor);
    case PROTOBUF_C_TYPE_BYTES:
        return check_bytes(walk, value);
    default:
        return true;
    }
}

static size_t value_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 0; // numbers need no look
    }
}

static const uint8_t *member(const ProtobufCMessage *message, unsigned offset)
{
    return (const uint8_t *)message + offset;
}

static bool check_repeated(struct check_walk *walk, const ProtobufCMessage *message,
                           const ProtobufCFieldDescriptor *field)
{
    size_t count, size = value_size(field->type);
    const uint8_t *list;
    memcpy(&count, member(message, field->quantifier_offset), sizeof count);
    memcpy(&list, member(message, field->offset), sizeof list);
    if (count == 0)
        return true;
    if (list == NULL)
        return complain(walk, "has a length and no elements");
    for (size_t i = 0; size != 0 && i < count; i++) {
        size_t mark = enter(walk, "[%zu]", i);
        if (!leave(walk, mark, check_value(walk, field, list + i * size)))
            return false;
    }
    return true;
}

// Of optional texts and messages the null pointer means absence; of the others a flag says it, and
// of members of a oneof which of them it is.
static bool is_present(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    uint32_t chosen;
    const void *pointer;
    if (field->label == PROTOBUF_C_LABEL_REQUIRED)
        return true;
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        memcpy(&chosen, member(message, field->quantifier_offset), sizeof chosen);
        return chosen == field->id;
    }
    if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE) {
        memcpy(&pointer, member(message, field->offset), sizeof pointer);
        return pointer != NULL;
    }
    protobuf_c_boolean there;
    memcpy(&there, member(message, field->quantifier_offset), sizeof there);
    return there;
}

static bool check_field(struct check_walk *walk, const ProtobufCMessage *message,
                        const ProtobufCFieldDescriptor *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return check_repeated(walk, message, field);
    if (!is_present(message, field))
        return true;
    return check_value(walk, field, member(message, field->offset));
}

// A program may have brought its own copy of the generated code, so the name decides.
static bool check_type(struct check_walk *walk, const ProtobufCMessage *message,
                       const ProtobufCMessageDescriptor *type)
{
    const ProtobufCMessageDescriptor *actual = message->descriptor;
    if (actual == type)
        return true;
    if (actual == NULL || actual->magic != PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC)
        return error_set(walk->err, ERROR_INVALID,
                         "%s is not initialised: start from %s with the generated ..._INIT",
                         walk->path, type->name);
    if (strcmp(actual->name, type->name) == 0 && actual->sizeof_message == type->sizeof_message)
        return true;
    return error_set(walk->err, ERROR_INVALID, "%s is a %s, %s was expected", walk->path,
                     actual->name, type->name);
}

static bool check_message(struct check_walk *walk, const ProtobufCMessage *message,
                          const ProtobufCMessageDescriptor *type)
{
    if (message == NULL)
        return complain(walk, "is missing");
    if (!check_type(walk, message, type))
        return false;
    if (walk->depth == DEPTH_MOST)
        return complain(walk, "is nested too deep");
    walk->depth++;
    for (unsigned i = 0; i < type->n_fields; i++) {
        size_t mark = enter(walk, ".%s", type->fields[i].name);
        if (!leave(walk, mark, check_field(walk, message, &type->fields[i])))
            return false;
    }
    walk->depth--;
    return true;
}

// ---- the face ----

bool message_check_message(const void *message, const ProtobufCMessageDescriptor *type,
                           const char *path, struct error *err)
{
    struct check_walk walk = {.err = err};
    enter(&walk, "%s", path);
    return check_message(&walk, message, type);
}

bool message_check_list(const void *messages, size_t count, const ProtobufCMessageDescriptor *type,
                        const char *path, struct error *err)
{
    const ProtobufCMessage *const *list = messages;
    struct check_walk walk = {.err = err};
    enter(&walk, "%s", path);
    if (count > 0 && list == NULL)
        return complain(&walk, "has a length and no elements");
    for (size_t i = 0; i < count; i++) {
        size_t mark = enter(&walk, "[%zu]", i);
        if (!leave(&walk, mark, check_message(&walk, list[i], type)))
            return false;
    }
    return true;
}

bool message_check_type(const void *message, const ProtobufCMessageDescriptor *type,
                        const char *path, struct error *err)
{
    struct check_walk walk = {.err = err};
    enter(&walk, "%s", path);
    if (message == NULL)
        return complain(&walk, "is missing");
    return check_type(&walk, message, type);
}

bool message_check_pack(const void *message, struct buffer *buffer, struct error *err)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *end = buffer_reserve(buffer, size);
    if (end == NULL)
        return error_set(err, ERROR_LIMIT, "the message is too large to be sent (%zu bytes)", size);
    buffer->length += protobuf_c_message_pack(message, end);
    return true;
}
