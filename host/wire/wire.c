// SPDX-License-Identifier: Apache-2.0
//
// Protocol buffers on the wire: see wire.h. Everything reads through read_field(), which returns
// a text for what is wrong, or wire_next_short(), its quick way for short fields. wire_next() drops
// the text, wire_validate() puts the path of the field in front of it. Nothing here allocates
// but the writers' buffer.

#include "wire/wire.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#define VARINT_LIMIT 10 // bytes of the longest varint
#define DEPTH_LIMIT 64
#define FIELD_LIMIT 64                // fields of one message type, one bit each
#define NUMBER_LIMIT ((1u << 29) - 1) // the largest field number
#define PATH_SIZE 512

static const char *const broken_varint = "varint is cut short or longer than 10 bytes";

// ---- reading ----

static size_t left(const struct wire *wire)
{
    return (size_t)(wire->end - wire->at);
}

// Bits beyond the 64th are dropped, as all implementations do.
static bool read_long_varint(struct wire *wire, uint64_t *value)
{
    size_t room = left(wire), limit = room < VARINT_LIMIT ? room : VARINT_LIMIT;
    uint64_t result = 0;
    for (size_t i = 0; i < limit; i++) {
        result |= (uint64_t)(wire->at[i] & 0x7f) << (7 * i);
        if (wire->at[i] < 0x80) {
            wire->at += i + 1;
            *value = result;
            return true;
        }
    }
    return false;
}

static inline bool read_varint(struct wire *wire, uint64_t *value)
{
    if (wire->at == wire->end || *wire->at >= 0x80)
        return read_long_varint(wire, value);
    *value = *wire->at++;
    return true;
}

static bool read_fixed(struct wire *wire, size_t size, uint64_t *value)
{
    if (left(wire) < size)
        return false;
    uint64_t eight;
    uint32_t four;
    if (size == sizeof eight)
        memcpy(&eight, wire->at, sizeof eight);
    else
        memcpy(&four, wire->at, sizeof four);
    *value = size == sizeof eight ? le64toh(eight) : le32toh(four);
    wire->at += size;
    return true;
}

static const char *read_bytes(struct wire *wire, struct slice *bytes)
{
    uint64_t length;
    if (!read_varint(wire, &length))
        return broken_varint;
    if (length > left(wire))
        return "length runs past the end";
    *bytes = (struct slice){.data = wire->at, .length = (size_t)length};
    wire->at += length;
    return NULL;
}

// Groups are an old form of nested messages, of which only the ends are marked.
static const char *skip_group(struct wire *wire, uint32_t number);

static const char *read_value(struct wire *wire, struct wire_field *field)
{
    switch (field->type) {
    case WIRE_VARINT:
        return read_varint(wire, &field->value) ? NULL : broken_varint;
    case WIRE_FIXED64:
        return read_fixed(wire, 8, &field->value) ? NULL : "8-byte value is cut short";
    case WIRE_FIXED32:
        return read_fixed(wire, 4, &field->value) ? NULL : "4-byte value is cut short";
    case WIRE_BYTES:
        return read_bytes(wire, &field->bytes);
    case WIRE_GROUP:
        return skip_group(wire, field->number);
    default:
        return "wire type is the end of a group that has not begun, or none at all";
    }
}

static const char *read_tag(struct wire *wire, uint32_t *number, unsigned *type)
{
    uint64_t tag;
    if (!read_varint(wire, &tag))
        return broken_varint;
    if (tag >> 3 == 0 || tag >> 3 > NUMBER_LIMIT)
        return "field number out of range";
    *number = (uint32_t)(tag >> 3);
    *type = (unsigned)(tag & 7);
    return NULL;
}

// The groups that it is inside of are in an array, not on the C stack.
static const char *skip_group(struct wire *wire, uint32_t number)
{
    enum { END_GROUP = 4 };
    uint32_t numbers[DEPTH_LIMIT] = {number};
    struct wire_field field = {0};
    for (size_t depth = 1; depth > 0;) {
        unsigned type;
        if (wire->at == wire->end)
            return "group has no end";
        const char *reason = read_tag(wire, &field.number, &type);
        if (reason != NULL)
            return reason;
        if (type == END_GROUP && field.number != numbers[--depth])
            return "group ends with the number of another";
        if (type == WIRE_GROUP && depth == DEPTH_LIMIT)
            return "groups are nested more than 64 deep";
        field.type = (enum wire_type)type;
        if (type == WIRE_GROUP)
            numbers[depth++] = field.number;
        else if (type != END_GROUP && (reason = read_value(wire, &field)) != NULL)
            return reason;
    }
    return NULL;
}

// Reads one field; NULL, or what is wrong with it. The field's number is set, 0 if it is unknown.
static const char *read_field(struct wire *wire, struct wire_field *field)
{
    unsigned type;
    *field = (struct wire_field){0};
    const char *reason = read_tag(wire, &field->number, &type);
    if (reason != NULL)
        return reason;
    field->type = (enum wire_type)type;
    return read_value(wire, field);
}

static bool spoil(struct wire *wire)
{
    wire->at = wire->end;
    wire->bad = true;
    return false;
}

bool wire_next_long(struct wire *wire, struct wire_field *field)
{
    if (wire->at == wire->end)
        return false;
    return read_field(wire, field) == NULL || spoil(wire);
}

struct slice wire_find(struct slice message, uint32_t number)
{
    struct slice found = {.data = NULL};
    struct wire wire = wire_open(message);
    while (wire_seek(&wire, number, &found))
        ;
    return found;
}

bool wire_seek_long(struct wire *wire, uint32_t number, struct slice *bytes)
{
    for (struct wire_field field; wire_next(wire, &field);) {
        if (field.number == number && field.type == WIRE_BYTES) {
            *bytes = field.bytes;
            return true;
        }
    }
    return false;
}

bool wire_last_long(struct wire *wire, uint32_t number, struct wire_field *field)
{
    bool found = false;
    for (struct wire_field it; wire_next(wire, &it);) {
        if (it.number == number) {
            *field = it;
            found = true;
        }
    }
    return found;
}

bool wire_next_bytes(struct slice *rest, uint32_t number, struct slice *bytes)
{
    struct wire wire = wire_open(*rest);
    bool found = wire_seek(&wire, number, bytes);
    *rest = (struct slice){.data = wire.at, .length = left(&wire)};
    return found;
}

bool wire_find_varint(struct slice message, uint32_t number, uint64_t *value)
{
    bool found = false;
    struct wire wire = wire_open(message);
    for (struct wire_field field; wire_next(&wire, &field);) {
        if (field.number == number && field.type == WIRE_VARINT) {
            *value = field.value;
            found = true;
        }
    }
    return found;
}

bool wire_find_enum(struct slice message, uint32_t number, int32_t *value)
{
    uint64_t bits;
    bool found = wire_find_varint(message, number, &bits);
    if (found)
        *value = (int32_t)bits;
    return found;
}

// ---- what a descriptor says about the wire ----

bool wire_element(struct wire *packed, enum wire_type type, uint64_t *value)
{
    if (packed->at == packed->end)
        return false;
    bool whole = type == WIRE_VARINT ? read_varint(packed, value)
                                     : read_fixed(packed, type == WIRE_FIXED64 ? 8 : 4, value);
    return whole || spoil(packed);
}

// ---- validation ----

// The path is written from its end to its front while the recursion unwinds.
struct validation {
    const char *reason;
    char path[PATH_SIZE];
    size_t start; // of the path in `path`
    bool cut;     // its front did not fit
    bool parts;   // a singular message comes in several parts
    bool groups;  // there are some
};

enum verdict { VALID, MALFORMED, INCOMPLETE };

static enum verdict validate(struct validation *validation, struct slice message,
                             const ProtobufCMessageDescriptor *type, int depth, bool merged);

static void prepend(struct validation *validation, const char *text)
{
    size_t length = strlen(text);
    validation->cut = validation->cut || length > validation->start;
    if (validation->cut)
        return;
    validation->start -= length;
    memcpy(validation->path + validation->start, text, length);
}

static void prepend_index(struct validation *validation, size_t index)
{
    char text[32];
    snprintf(text, sizeof text, "[%zu]", index);
    prepend(validation, text);
}

// How many fields of that number begin before `until`.
static size_t count_before(struct slice message, uint32_t number, const uint8_t *until)
{
    size_t count = 0;
    struct wire wire = wire_open(message);
    for (struct wire_field field; wire.at < until && wire_next(&wire, &field);)
        count += field.number == number;
    return count;
}

static void prepend_field(struct validation *validation, struct slice message,
                          const ProtobufCFieldDescriptor *field, const uint8_t *at)
{
    if (validation->path[validation->start] != 0)
        prepend(validation, ".");
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        prepend_index(validation, count_before(message, field->id, at));
    prepend(validation, field->name);
}

static void prepend_number(struct validation *validation, uint32_t number)
{
    char text[32];
    snprintf(text, sizeof text, "field %u", (unsigned)number);
    prepend(validation, text);
}

static enum verdict fail(struct validation *validation, enum verdict verdict, const char *reason)
{
    validation->reason = reason;
    return verdict;
}

static enum verdict validate_packed(struct validation *validation, struct slice bytes,
                                    enum wire_type type)
{
    struct wire packed = wire_open(bytes);
    for (uint64_t value; wire_element(&packed, type, &value);)
        ;
    return packed.bad ? fail(validation, MALFORMED, "packed value is cut short") : VALID;
}

bool wire_occurs(struct wire rest, uint32_t number)
{
    for (struct wire_field field; wire_next(&rest, &field);) {
        if (field.number == number)
            return true;
    }
    return false;
}

struct occurrence {
    const struct wire_field *field;
    const ProtobufCFieldDescriptor *descriptor;
    const struct wire *rest; // what follows it in its message
    bool again;              // the same field was there before
};

// The occurrences of a singular message add up to one, so a required field may be missing in each.
// Instead of adding up, an occurrence of several is excused from having its required fields.
static enum verdict validate_nested(struct validation *validation, struct occurrence it, int depth,
                                    bool merged)
{
    const ProtobufCMessageDescriptor *type = it.descriptor->descriptor;
    bool repeated = it.descriptor->label == PROTOBUF_C_LABEL_REPEATED;
    if (depth == DEPTH_LIMIT)
        return fail(validation, MALFORMED, "nested more than 64 deep");
    merged = !repeated && (merged || it.again);
    validation->parts = validation->parts || (it.again && !repeated);
    enum verdict verdict = validate(validation, it.field->bytes, type, depth + 1, merged);
    if (verdict != INCOMPLETE || repeated || merged || !wire_occurs(*it.rest, it.field->number))
        return verdict;
    validation->start = PATH_SIZE - 1;
    return validate(validation, it.field->bytes, type, depth + 1, true);
}

static enum verdict validate_field(struct validation *validation, struct occurrence it, int depth,
                                   bool merged)
{
    enum wire_type expected = wire_type_of(it.descriptor->type), type = it.field->type;
    if (it.descriptor->label == PROTOBUF_C_LABEL_REPEATED && expected != WIRE_BYTES &&
        type == WIRE_BYTES)
        return validate_packed(validation, it.field->bytes, expected);
    if (type != expected)
        return fail(validation, MALFORMED, "wire type is not that of the field");
    if (it.descriptor->type == PROTOBUF_C_TYPE_MESSAGE)
        return validate_nested(validation, it, depth, merged);
    return VALID;
}

static enum verdict validate_required(struct validation *validation,
                                      const ProtobufCMessageDescriptor *type, uint64_t seen)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (type->fields[i].label != PROTOBUF_C_LABEL_REQUIRED || seen >> i & 1)
            continue;
        prepend(validation, type->fields[i].name);
        return fail(validation, INCOMPLETE, "required field is missing");
    }
    return VALID;
}

static enum verdict validate(struct validation *validation, struct slice message,
                             const ProtobufCMessageDescriptor *type, int depth, bool merged)
{
    uint64_t seen = 0;
    struct wire wire = wire_open(message);
    while (wire.at < wire.end) {
        struct wire_field field;
        const uint8_t *at = wire.at;
        const char *reason = wire_next_short(&wire, &field) ? NULL : read_field(&wire, &field);
        const ProtobufCFieldDescriptor *descriptor = wire_descriptor(type, field.number);
        if (reason != NULL && descriptor == NULL && field.number != 0)
            prepend_number(validation, field.number);
        if (reason != NULL && descriptor == NULL)
            return fail(validation, MALFORMED, reason);
        if (descriptor == NULL) {
            validation->groups = validation->groups || field.type == WIRE_GROUP;
            continue;
        }
        uint64_t bit = UINT64_C(1) << (descriptor - type->fields) % FIELD_LIMIT;
        struct occurrence it = {&field, descriptor, &wire, (seen & bit) != 0};
        enum verdict verdict = reason != NULL ? fail(validation, MALFORMED, reason)
                                              : validate_field(validation, it, depth, merged);
        if (verdict != VALID) {
            prepend_field(validation, message, descriptor, at);
            return verdict;
        }
        seen |= bit;
    }
    return merged ? VALID : validate_required(validation, type, seen);
}

const char *wire_message_name(const ProtobufCMessageDescriptor *type)
{
    size_t length = strlen(type->package_name);
    return length ? type->name + length + 1 : type->name;
}

bool wire_validate(struct slice message, const ProtobufCMessageDescriptor *type, bool *to_merge,
                   struct error *err)
{
    struct validation validation = {.start = PATH_SIZE - 1};
    enum verdict verdict = validate(&validation, message, type, 1, false);
    *to_merge = validation.parts || validation.groups;
    if (verdict == VALID)
        return true;
    const char *path = validation.path + validation.start;
    return error_set(err, ERROR_PROTOCOL, "%s%s: %s", validation.cut ? "..." : "",
                     *path ? path : wire_message_name(type), validation.reason);
}

// ---- writing ----

static uint8_t *write_varint(uint8_t *to, uint64_t value)
{
    while (value >= 0x80) {
        *to++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *to++ = (uint8_t)value;
    return to;
}

static uint8_t *write_tag(uint8_t *to, uint32_t number, enum wire_type type)
{
    return write_varint(to, (uint64_t)number << 3 | type);
}

static bool append_fixed(struct buffer *buffer, uint32_t number, enum wire_type type,
                         uint64_t value, size_t size)
{
    uint8_t bytes[VARINT_LIMIT + 8], *to = write_tag(bytes, number, type);
    for (size_t i = 0; i < size; i++)
        *to++ = (uint8_t)(value >> (8 * i));
    return buffer_append(buffer, bytes, (size_t)(to - bytes));
}

// Most fields have a tag of one byte, and a number or a length of one byte as well: nothing is
// computed for them. Returns where what follows goes, NULL if there is no room for that.
static inline uint8_t *put_short_head(struct buffer *buffer, uint32_t number, enum wire_type type,
                                      uint64_t value, size_t more)
{
    uint8_t *to = buffer_reserve(buffer, 2 + more);
    if (to == NULL)
        return NULL;
    to[0] = (uint8_t)(number << 3 | type);
    to[1] = (uint8_t)value;
    buffer->length += 2 + more;
    return to + 2;
}

static inline bool is_short(uint32_t number, uint64_t value)
{
    return number < 0x10 && value < 0x80;
}

bool wire_put_varint(struct buffer *buffer, uint32_t number, uint64_t value)
{
    if (is_short(number, value))
        return put_short_head(buffer, number, WIRE_VARINT, value, 0) != NULL;
    uint8_t bytes[2 * VARINT_LIMIT];
    uint8_t *end = write_varint(write_tag(bytes, number, WIRE_VARINT), value);
    return buffer_append(buffer, bytes, (size_t)(end - bytes));
}

bool wire_put_fixed64(struct buffer *buffer, uint32_t number, uint64_t value)
{
    uint8_t *to = number < 0x10 ? buffer_reserve(buffer, 1 + sizeof value) : NULL;
    if (to != NULL) {
        value = htole64(value);
        to[0] = (uint8_t)(number << 3 | WIRE_FIXED64);
        memcpy(to + 1, &value, sizeof value);
        buffer->length += 1 + sizeof value;
        return true;
    }
    return append_fixed(buffer, number, WIRE_FIXED64, value, 8);
}

bool wire_put_fixed32(struct buffer *buffer, uint32_t number, uint32_t value)
{
    return append_fixed(buffer, number, WIRE_FIXED32, value, 4);
}

bool wire_put_double(struct buffer *buffer, uint32_t number, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return wire_put_fixed64(buffer, number, bits);
}

static bool put_long_bytes(struct buffer *buffer, uint32_t number, struct slice bytes)
{
    uint8_t head[2 * VARINT_LIMIT];
    uint8_t *end = write_varint(write_tag(head, number, WIRE_BYTES), bytes.length);
    size_t length = (size_t)(end - head);
    uint8_t *to =
        bytes.length > SIZE_MAX - length ? NULL : buffer_reserve(buffer, length + bytes.length);
    if (to == NULL)
        return false;
    memcpy(to, head, length);
    if (bytes.length > 0)
        memcpy(to + length, bytes.data, bytes.length);
    buffer->length += length + bytes.length;
    return true;
}

bool wire_put_bytes(struct buffer *buffer, uint32_t number, struct slice bytes)
{
    if (!is_short(number, bytes.length))
        return put_long_bytes(buffer, number, bytes);
    uint8_t *to = put_short_head(buffer, number, WIRE_BYTES, bytes.length, bytes.length);
    if (to != NULL && bytes.length > 0)
        memcpy(to, bytes.data, bytes.length);
    return to != NULL;
}

bool wire_put_head(struct buffer *buffer, uint32_t number, size_t length)
{
    uint8_t head[2 * VARINT_LIMIT];
    uint8_t *end = write_varint(write_tag(head, number, WIRE_BYTES), length);
    return buffer_append(buffer, head, (size_t)(end - head));
}

// Of a tag or a length.
static size_t varint_size(uint64_t value)
{
    size_t size = 1;
    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

size_t wire_id_size(uint32_t number, size_t length)
{
    size_t content = 1 + varint_size(length) + length;
    return varint_size((uint64_t)number << 3) + varint_size(content) + content;
}

// Of an id of up to 125 bytes both lengths have one byte.
bool wire_put_id(struct buffer *buffer, uint32_t number, struct slice text)
{
    if (is_short(number, text.length + 2)) {
        uint8_t *to = put_short_head(buffer, number, WIRE_BYTES, text.length + 2, text.length + 2);
        if (to == NULL)
            return false;
        to[0] = 1 << 3 | WIRE_BYTES;
        to[1] = (uint8_t)text.length;
        if (text.length > 0)
            memcpy(to + 2, text.data, text.length);
        return true;
    }
    size_t mark = wire_begin(buffer, number);
    return wire_put_bytes(buffer, 1, text) && wire_end(buffer, mark);
}

// One byte is kept for the length; most messages are shorter than 128 bytes, the others move.
size_t wire_begin(struct buffer *buffer, uint32_t number)
{
    if (is_short(number, 0))
        return put_short_head(buffer, number, WIRE_BYTES, 0, 0) ? buffer->length : 0;
    uint8_t head[VARINT_LIMIT + 1], *end = write_tag(head, number, WIRE_BYTES);
    *end++ = 0;
    return buffer_append(buffer, head, (size_t)(end - head)) ? buffer->length : 0;
}

bool wire_end(struct buffer *buffer, size_t mark)
{
    if (mark == 0)
        return false;
    uint8_t head[VARINT_LIMIT];
    size_t length = buffer->length - mark;
    if (length < 0x80) {
        buffer->data[mark - 1] = (uint8_t)length;
        return true;
    }
    size_t size = (size_t)(write_varint(head, length) - head);
    if (buffer_reserve(buffer, size - 1) == NULL)
        return false;
    memmove(buffer->data + mark + size - 1, buffer->data + mark, length);
    buffer->length += size - 1;
    memcpy(buffer->data + mark - 1, head, size);
    return true;
}
