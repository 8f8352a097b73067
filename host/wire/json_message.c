// SPDX-License-Identifier: Apache-2.0
//
// JSON and protobuf-c structs, driven by the descriptors. Writing goes straight into a buffer;
// reading lets jansson parse and then fills a message that is a proper protobuf-c one at any
// moment, so one call frees it when an error is found half-way. jansson needs about 200 bytes for
// the shortest value, so the values are counted before.

#include "wire/json_message.h"

#include "base/memory.h"
#include "wire/json_text.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef const ProtobufCFieldDescriptor Field;

#define PATH_LIMIT 4096
#define NEAR 200 // characters of a faulty line in an error

static void *at(const void *base, size_t offset)
{
    return (char *)(uintptr_t)base + offset;
}

static size_t element_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 4;
    }
}

// A map is a repeated message of key and value.
static bool is_map(Field *field)
{
    static const char suffix[] = "Entry";
    if (field->type != PROTOBUF_C_TYPE_MESSAGE || field->label != PROTOBUF_C_LABEL_REPEATED)
        return false;
    const ProtobufCMessageDescriptor *type = field->descriptor;
    size_t length = strlen(type->short_name), tail = sizeof suffix - 1;
    return length > tail && strcmp(type->short_name + length - tail, suffix) == 0 &&
           type->n_fields == 2 && strcmp(type->fields[0].name, "key") == 0 &&
           type->fields[0].type == PROTOBUF_C_TYPE_STRING;
}

// ---- writing ----

static bool write_message(const ProtobufCMessage *message, struct buffer *out);

static bool write_bytes(const ProtobufCBinaryData *bytes, struct buffer *out)
{
    return json_text_base64(bytes->data, bytes->len, out);
}

static bool write_enum(Field *field, int32_t value, struct buffer *out)
{
    const ProtobufCEnumValue *row = protobuf_c_enum_descriptor_get_value(field->descriptor, value);
    return row ? json_text_string(row->name, out) : buffer_format(out, "%" PRId32, value);
}

static bool write_value(Field *field, const void *value, struct buffer *out)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return buffer_format(out, "%" PRId32, *(const int32_t *)value);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return buffer_format(out, "%" PRId64, *(const int64_t *)value);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return buffer_format(out, "%" PRIu32, *(const uint32_t *)value);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return buffer_format(out, "%" PRIu64, *(const uint64_t *)value);
    case PROTOBUF_C_TYPE_FLOAT:
        return json_text_double((double)*(const float *)value, out);
    case PROTOBUF_C_TYPE_DOUBLE:
        return json_text_double(*(const double *)value, out);
    case PROTOBUF_C_TYPE_BOOL:
        return buffer_append_text(out, *(const protobuf_c_boolean *)value ? "true" : "false");
    case PROTOBUF_C_TYPE_ENUM:
        return write_enum(field, *(const int32_t *)value, out);
    case PROTOBUF_C_TYPE_STRING:
        return json_text_string(*(char *const *)value, out);
    case PROTOBUF_C_TYPE_BYTES:
        return write_bytes(value, out);
    case PROTOBUF_C_TYPE_MESSAGE:
        return write_message(*(ProtobufCMessage *const *)value, out);
    }
    return false;
}

static bool write_map(Field *field, const void *items, size_t count, struct buffer *out)
{
    const ProtobufCMessageDescriptor *type = field->descriptor;
    bool good = buffer_append_text(out, "{");
    for (size_t i = 0; good && i < count; i++) {
        const ProtobufCMessage *entry = ((ProtobufCMessage *const *)items)[i];
        const char *key = *(char **)at(entry, type->fields[0].offset);
        good = buffer_append_text(out, i ? "," : "") && json_text_string(key ? key : "", out) &&
               buffer_append_text(out, ":") &&
               write_value(&type->fields[1], at(entry, type->fields[1].offset), out);
    }
    return good && buffer_append_text(out, "}");
}

static bool write_list(Field *field, const void *items, size_t count, struct buffer *out)
{
    if (is_map(field))
        return write_map(field, items, count, out);
    bool good = buffer_append_text(out, "[");
    for (size_t i = 0; good && i < count; i++)
        good = buffer_append_text(out, i ? "," : "") &&
               write_value(field, at(items, i * element_size(field->type)), out);
    return good && buffer_append_text(out, "]");
}

static bool is_pointer(Field *field)
{
    return field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE;
}

static bool is_set(Field *field, const void *message)
{
    const void *member = at(message, field->offset);
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
        *(const uint32_t *)at(message, field->quantifier_offset) != field->id)
        return false;
    if (is_pointer(field))
        return *(void *const *)member != NULL && *(void *const *)member != field->default_value;
    return field->label == PROTOBUF_C_LABEL_REQUIRED ||
           field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF ||
           *(const protobuf_c_boolean *)at(message, field->quantifier_offset);
}

static size_t list_length(Field *field, const void *message)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED
               ? *(const size_t *)at(message, field->quantifier_offset)
               : 0;
}

// Of an absent field the default is written.
static bool is_written(Field *field, const void *message)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return list_length(field, message) > 0;
    return is_set(field, message) ||
           (field->default_value != NULL && !(field->flags & PROTOBUF_C_FIELD_FLAG_DEPRECATED));
}

static bool write_field(Field *field, const void *message, struct buffer *out)
{
    const void *member = at(message, field->offset);
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return write_list(field, *(void *const *)member, list_length(field, message), out);
    if (is_set(field, message))
        return write_value(field, member, out);
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return json_text_string(field->default_value, out);
    return write_value(field, field->default_value, out);
}

static bool write_message(const ProtobufCMessage *message, struct buffer *out)
{
    bool good = buffer_append_text(out, "{"), first = true;
    for (unsigned i = 0; good && i < message->descriptor->n_fields; i++) {
        Field *field = &message->descriptor->fields[i];
        if (!is_written(field, message))
            continue;
        good = buffer_append_text(out, first ? "" : ",") && json_text_string(field->name, out) &&
               buffer_append_text(out, ":") && write_field(field, message, out);
        first = false;
    }
    return good && buffer_append_text(out, "}");
}

bool json_message_write(const ProtobufCMessage *message, struct buffer *out)
{
    return write_message(message, out);
}

// ---- reading ----

struct json_reader {
    struct error *err;
    struct buffer missing; // paths of required fields that were not there, joined with ", "
    struct buffer path;    // of the message that is being read, each name followed by "."
};

static bool read_message(struct json_reader *reader, ProtobufCMessage *message, json_t *object);

static bool unexpected(struct json_reader *reader, Field *field, const json_t *json)
{
    static const char *const kinds[] = {
        [JSON_OBJECT] = "object",  [JSON_ARRAY] = "array", [JSON_STRING] = "string",
        [JSON_INTEGER] = "number", [JSON_REAL] = "number", [JSON_TRUE] = "boolean",
        [JSON_FALSE] = "boolean",  [JSON_NULL] = "null",
    };
    return error_set(reader->err, ERROR_INVALID, "Not expecting a JSON %s for field '%s'",
                     kinds[json_typeof(json)], field->name);
}

static int base64_digit(char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

static bool read_base64(const char *text, ProtobufCBinaryData *bytes)
{
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '=')
        length--;
    bytes->data = memory_new(length + 1);
    bytes->len = 0;
    uint32_t group = 0;
    for (size_t i = 0; i < length; i++) {
        int digit = base64_digit(text[i]);
        if (digit < 0 || length % 4 == 1) {
            free(bytes->data);
            *bytes = (ProtobufCBinaryData){0};
            return false;
        }
        group = group << 6 | (uint32_t)digit;
        if (i % 4 != 0)
            bytes->data[bytes->len++] = (uint8_t)(group >> (6 - 2 * (i % 4)));
    }
    return true;
}

// Numbers may be written as strings, as in the JSON form of protobuf.
static bool read_number(struct json_reader *reader, Field *field, const json_t *json, double *real,
                        json_int_t *whole)
{
    if (json_is_number(json)) {
        *real = json_number_value(json);
        *whole = json_is_integer(json)  ? json_integer_value(json)
                 : fabs(*real) < 9.2e18 ? (json_int_t)*real
                                        : 0;
        return true;
    }
    if (!json_is_string(json))
        return unexpected(reader, field, json);
    const char *text = json_string_value(json);
    char *end;
    *real = strtod(text, &end);
    *whole = strtoll(text, NULL, 10);
    if (*text == '\0' || *end != '\0')
        return error_set(reader->err, ERROR_INVALID,
                         "Failed to parse '%.200s' as a JSON number for field '%s': syntax error "
                         "at line 1 near: %.200s",
                         text, field->name, text);
    return true;
}

// A name that the enum does not have counts as absent, as it does in protobuf.
static bool read_enum(struct json_reader *reader, Field *field, const json_t *json, int32_t *value,
                      bool *absent)
{
    if (!json_is_string(json))
        return unexpected(reader, field, json);
    const ProtobufCEnumValue *row =
        protobuf_c_enum_descriptor_get_value_by_name(field->descriptor, json_string_value(json));
    *absent = row == NULL;
    *value = row ? row->value : 0;
    return true;
}

static bool read_string(struct json_reader *reader, Field *field, const json_t *json, void *value)
{
    if (!json_is_string(json))
        return unexpected(reader, field, json);
    *(char **)value = memory_string(json_string_value(json));
    return true;
}

static bool read_bytes(struct json_reader *reader, Field *field, const json_t *json, void *value)
{
    if (!json_is_string(json))
        return unexpected(reader, field, json);
    if (!read_base64(json_string_value(json), value))
        return error_set(reader->err, ERROR_INVALID, "Failed to base64 decode bytes field '%s'",
                         field->name);
    return true;
}

static bool read_nested(struct json_reader *reader, Field *field, json_t *json, void *value)
{
    if (!json_is_object(json))
        return unexpected(reader, field, json);
    const ProtobufCMessageDescriptor *type = field->descriptor;
    ProtobufCMessage *message = memory_new(type->sizeof_message);
    protobuf_c_message_init(type, message);
    *(ProtobufCMessage **)value = message;
    size_t length = reader->path.length;
    bool good =
        buffer_format(&reader->path, "%s.", field->name) && read_message(reader, message, json);
    reader->path.length = length;
    return good;
}

static bool read_plain(struct json_reader *reader, Field *field, const json_t *json, void *value)
{
    double real = 0;
    json_int_t whole = 0;
    if (field->type == PROTOBUF_C_TYPE_BOOL) {
        *(protobuf_c_boolean *)value = json_is_true(json);
        return json_is_boolean(json) || unexpected(reader, field, json);
    }
    if (!read_number(reader, field, json, &real, &whole))
        return false;
    if (field->type == PROTOBUF_C_TYPE_DOUBLE)
        *(double *)value = real;
    else if (field->type == PROTOBUF_C_TYPE_FLOAT)
        *(float *)value = (float)real;
    else if (element_size(field->type) == 8)
        *(int64_t *)value = whole;
    else
        *(uint32_t *)value = (uint32_t)whole;
    return true;
}

static bool read_value(struct json_reader *reader, Field *field, json_t *json, void *value,
                       bool *absent)
{
    *absent = false;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return read_string(reader, field, json, value);
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return read_bytes(reader, field, json, value);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return read_nested(reader, field, json, value);
    if (field->type == PROTOBUF_C_TYPE_ENUM)
        return read_enum(reader, field, json, value, absent);
    return read_plain(reader, field, json, value);
}

static bool read_list(struct json_reader *reader, Field *field, void *message, json_t *array)
{
    if (!json_is_array(array))
        return unexpected(reader, field, array);
    size_t size = element_size(field->type), *count = at(message, field->quantifier_offset);
    void **items = at(message, field->offset);
    *items = memory_new(json_array_size(array) * size);
    size_t i;
    json_t *json;
    json_array_foreach(array, i, json)
    {
        bool absent;
        bool good = read_value(reader, field, json, at(*items, *count * size), &absent);
        // A partly read element is counted, and freed with the message, unless it is still NULL.
        *count += good ? !absent : is_pointer(field) && *(void **)at(*items, *count * size) != NULL;
        if (!good)
            return false;
    }
    return true;
}

static bool read_map(struct json_reader *reader, Field *field, void *message, json_t *object)
{
    if (!json_is_object(object))
        return unexpected(reader, field, object);
    const ProtobufCMessageDescriptor *type = field->descriptor;
    size_t *count = at(message, field->quantifier_offset);
    ProtobufCMessage ***items = at(message, field->offset);
    *items = memory_new(json_object_size(object) * sizeof **items);
    const char *key;
    json_t *json;
    json_object_foreach(object, key, json)
    {
        ProtobufCMessage *entry = (*items)[(*count)++] = memory_new(type->sizeof_message);
        protobuf_c_message_init(type, entry);
        *(char **)at(entry, type->fields[0].offset) = memory_string(key);
        bool absent;
        if (!read_value(reader, &type->fields[1], json, at(entry, type->fields[1].offset), &absent))
            return false;
    }
    return true;
}

static void note_missing(struct json_reader *reader, Field *field)
{
    buffer_format(&reader->missing, "%s%.*s%s", reader->missing.length ? ", " : "",
                  SLICE_ARGS(buffer_slice(&reader->path)), field->name);
}

static bool read_field(struct json_reader *reader, Field *field, void *message, json_t *json)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return is_map(field) ? read_map(reader, field, message, json)
                             : read_list(reader, field, message, json);
    void *member = at(message, field->offset);
    bool oneof = field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF, absent;
    // The first member of a oneof counts: replacing it would leak its value.
    if (oneof && *(uint32_t *)at(message, field->quantifier_offset) != 0)
        return true;
    if (oneof)
        *(uint32_t *)at(message, field->quantifier_offset) = field->id;
    if (!read_value(reader, field, json, member, &absent))
        return false;
    if (absent && field->label == PROTOBUF_C_LABEL_REQUIRED)
        note_missing(reader, field);
    else if (!oneof && !is_pointer(field) && field->label != PROTOBUF_C_LABEL_REQUIRED)
        *(protobuf_c_boolean *)at(message, field->quantifier_offset) = !absent;
    return true;
}

static bool read_message(struct json_reader *reader, ProtobufCMessage *message, json_t *object)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        Field *field = &message->descriptor->fields[i];
        json_t *json = json_object_get(object, field->name);
        bool there = json != NULL && !json_is_null(json);
        if (there && !read_field(reader, field, message, json))
            return false;
        if (!there && field->label == PROTOBUF_C_LABEL_REQUIRED)
            note_missing(reader, field);
    }
    return true;
}

static ProtobufCMessage *convert(const ProtobufCMessageDescriptor *type, json_t *root,
                                 struct error *err)
{
    struct json_reader reader = {.err = err};
    buffer_init(&reader.missing, PATH_LIMIT);
    buffer_init(&reader.path, PATH_LIMIT);
    ProtobufCMessage *message = memory_new(type->sizeof_message);
    protobuf_c_message_init(type, message);
    bool good = json_is_object(root) ? read_message(&reader, message, root)
                                     : error_set(err, ERROR_INVALID, "Expecting a JSON object");
    if (good && reader.missing.length > 0)
        good = error_set(err, ERROR_INVALID, "Missing required fields: %s",
                         buffer_string(&reader.missing));
    if (!good) {
        error_context(err, "Failed to convert JSON into %s protobuf", type->short_name);
        protobuf_c_message_free_unpacked(message, NULL);
    }
    buffer_free(&reader.missing);
    buffer_free(&reader.path);
    return good ? message : NULL;
}

// Names the rest of the line in which the text is wrong, as a master's parser does.
static void refuse_syntax(struct slice text, const json_error_t *fault, struct error *err)
{
    bool inside = fault->position > 0 && (size_t)fault->position <= text.length;
    size_t from = inside ? (size_t)fault->position - 1 : text.length;
    while (from < text.length && (text.data[from] == ' ' || text.data[from] == '\t'))
        from++;
    size_t end = from;
    while (end < text.length && end - from < NEAR && text.data[end] != '\n')
        end++;
    error_set(err, ERROR_INVALID,
              "Failed to parse body into JSON: syntax error at line %d near: %.*s",
              fault->line > 0 ? fault->line : 1, (int)(end - from),
              end > from ? (const char *)text.data + from : "");
}

ProtobufCMessage *json_message_read(const ProtobufCMessageDescriptor *type, struct slice text,
                                    struct error *err)
{
    json_error_t fault;
    size_t count = json_text_values(text);
    if (count > JSON_MESSAGE_VALUES) {
        error_set(err, ERROR_LIMIT,
                  "Failed to parse body into JSON: it has %zu values, and the limit is %zu; send "
                  "less at a time, or protobuf",
                  count, JSON_MESSAGE_VALUES);
        return NULL;
    }
    json_t *root = json_loadb((const char *)text.data, text.length, JSON_DECODE_ANY, &fault);
    if (root == NULL) {
        refuse_syntax(text, &fault, err);
        return NULL;
    }
    ProtobufCMessage *message = convert(type, root, err);
    json_decref(root);
    return message;
}
