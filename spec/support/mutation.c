// SPDX-License-Identifier: Apache-2.0
//
// Random messages and mutations: see mutation.h. A mutation goes down into a nested message or
// changes one field of the message at hand; what is behind the first malformed field is kept as it
// is.

#include "mutation.h"

#include "reference_decoder.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { FIELDS_MOST = 4096, ELEMENTS_MOST = 3 };

// splitmix64
static uint64_t next(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static size_t below(uint64_t *seed, size_t limit)
{
    return (size_t)(next(seed) % limit);
}

static bool one_in(uint64_t *seed, size_t chances)
{
    return below(seed, chances) == 0;
}

// ---- valid values ----

// Texts that mean something to those who read offers, and some that are odd. Roles are chosen from
// the first four.
static const char *const texts[] = {
    "*",   "web", "db",  "", "cpus", "mem",  "disk",    "gpus", "ports",     "cpus", "ports", "*",
    "web", "db",  "web", "", "cpu",  "rack", "zone-17", "m",    "x\xff\xfe", "o1",   "a1",
};

static const double doubles[] = {
    0, -0.0, 1, 0.1, 0.2, 0.0005, 0.0015, 1.5, -1.25, 512, 1e15, 1e300, -1e300, 4503599627370497.5,
};

static double any_double(uint64_t *seed)
{
    double value;
    if (!one_in(seed, 8))
        return doubles[below(seed, sizeof doubles / sizeof *doubles)];
    uint64_t bits = next(seed);
    memcpy(&value, &bits, sizeof value);
    return one_in(seed, 2) ? value : (double)(bits >> 40) / 1000;
}

static uint64_t any_integer(uint64_t *seed)
{
    static const uint64_t values[] = {
        0,          1,
        2,          31000,
        31005,      32000,
        127,        128,
        16383,      16384,
        UINT32_MAX, 1ull << 32 | 3,
        INT32_MAX,  (uint64_t)-1,
        1ull << 63, (1u << 28) - 1,
        31001,      3,
        4,          5,
        6,
    };
    return one_in(seed, 8) ? next(seed) >> below(seed, 64)
                           : values[below(seed, sizeof values / sizeof *values)];
}

static uint64_t any_enum(const ProtobufCEnumDescriptor *type, uint64_t *seed)
{
    if (one_in(seed, 12))
        return any_integer(seed);
    if (one_in(seed, 24))
        return (uint64_t) - (int64_t)below(seed, 9);
    return (uint64_t)(int64_t)type->values[below(seed, type->n_values)].value;
}

static void put_text(const char *field, uint64_t *seed, struct buffer *out)
{
    enum { ROLES = 4 };
    size_t most = strcmp(field, "role") == 0 ? ROLES : sizeof texts / sizeof *texts;
    if (!one_in(seed, 16)) {
        buffer_append_text(out, texts[below(seed, most)]);
        if (one_in(seed, 64))
            buffer_append(out, "", 1);
        return;
    }
    for (size_t i = below(seed, one_in(seed, 4) ? 40000 : 300); i > 0; i--)
        buffer_append(out, &(uint8_t){(uint8_t)('a' + i % 26)}, 1);
}

static void put_double(struct buffer *out, double value)
{
    uint8_t bytes[8];
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(bits >> 8 * i);
    buffer_append(out, bytes, sizeof bytes);
}

static void generate(const ProtobufCMessageDescriptor *type, uint64_t *seed, unsigned depth,
                     struct buffer *out);

static void put_content(const ProtobufCFieldDescriptor *field, uint64_t *seed, unsigned depth,
                        struct buffer *out)
{
    struct buffer content;
    buffer_init(&content, SIZE_MAX);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        generate(field->descriptor, seed, depth + 1, &content);
    else
        put_text(field->name, seed, &content);
    field_put_bytes(out, field->id, buffer_slice(&content));
    buffer_free(&content);
}

static void put_value(const ProtobufCFieldDescriptor *field, uint64_t *seed, unsigned depth,
                      struct buffer *out)
{
    unsigned wire_type = field_wire_type(field->type);
    uint64_t four = next(seed);
    if (wire_type == FIELD_BYTES) {
        put_content(field, seed, depth, out);
        return;
    }
    field_put_tag(out, field->id, wire_type);
    if (wire_type == FIELD_EIGHT)
        put_double(out, any_double(seed));
    else if (wire_type == FIELD_FOUR)
        buffer_append(out, &four, 4);
    else if (field->type == PROTOBUF_C_TYPE_ENUM)
        field_put_varint(out, any_enum(field->descriptor, seed));
    else
        field_put_varint(out, any_integer(seed));
}

static size_t occurrences(const ProtobufCFieldDescriptor *field, uint64_t *seed, unsigned depth)
{
    if (field->label == PROTOBUF_C_LABEL_REQUIRED)
        return 1;
    if (!one_in(seed, depth < 3 ? 2 : 5))
        return 0;
    return field->label == PROTOBUF_C_LABEL_REPEATED ? 1 + below(seed, ELEMENTS_MOST) : 1;
}

static void generate(const ProtobufCMessageDescriptor *type, uint64_t *seed, unsigned depth,
                     struct buffer *out)
{
    for (unsigned i = 0; i < type->n_fields; i++)
        for (size_t n = occurrences(&type->fields[i], seed, depth); n > 0; n--)
            put_value(&type->fields[i], seed, depth, out);
}

void mutation_generate(const ProtobufCMessageDescriptor *type, uint64_t *seed, struct buffer *out)
{
    generate(type, seed, 0, out);
}

// ---- the message at hand ----

struct fields {
    struct field *list;
    size_t count;
    struct slice rest; // from the first malformed field on
};

static struct fields read_fields(struct slice message)
{
    struct fields fields = {.list = memory_new(FIELDS_MOST * sizeof *fields.list), .rest = message};
    while (fields.rest.length > 0 && fields.count < FIELDS_MOST) {
        struct slice rest = fields.rest;
        if (!field_next(&rest, &fields.list[fields.count]))
            break;
        fields.rest = rest;
        fields.count++;
    }
    return fields;
}

static void put_fields(struct buffer *out, const struct fields *fields, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        buffer_append_slice(out, fields->list[i].whole);
}

// ---- what may happen to one field ----

static void put_long_varint(struct buffer *out, uint64_t value, size_t size)
{
    for (size_t i = 1; i < size; i++, value >>= 7)
        buffer_append(out, &(uint8_t){(uint8_t)(value | 0x80)}, 1);
    buffer_append(out, &(uint8_t){(uint8_t)(value & 0x7f)}, 1);
}

static void change_nothing(const struct field *field, const ProtobufCMessageDescriptor *type,
                           uint64_t *seed, struct buffer *out)
{
    (void)type, (void)seed;
    buffer_append_slice(out, field->whole);
}

static void drop(const struct field *field, const ProtobufCMessageDescriptor *type, uint64_t *seed,
                 struct buffer *out)
{
    (void)field, (void)type, (void)seed, (void)out;
}

static void repeat(const struct field *field, const ProtobufCMessageDescriptor *type,
                   uint64_t *seed, struct buffer *out)
{
    (void)type;
    for (size_t n = 2 + below(seed, 20) / 19 * 30; n > 0; n--)
        buffer_append_slice(out, field->whole);
}

static void repeat_anew(const struct field *field, const ProtobufCMessageDescriptor *type,
                        uint64_t *seed, struct buffer *out)
{
    const ProtobufCFieldDescriptor *descriptor = field_descriptor(type, field->number);
    buffer_append_slice(out, field->whole);
    if (descriptor != NULL)
        put_value(descriptor, seed, 2, out);
}

static void cut(const struct field *field, const ProtobufCMessageDescriptor *type, uint64_t *seed,
                struct buffer *out)
{
    (void)type;
    buffer_append(out, field->whole.data, below(seed, field->whole.length));
}

static void change_wire_type(const struct field *field, const ProtobufCMessageDescriptor *type,
                             uint64_t *seed, struct buffer *out)
{
    (void)type;
    size_t tag = one_in(seed, 4) ? below(seed, 8) : field->type;
    field_put_tag(out, one_in(seed, 2) ? field->number : 1 + below(seed, 70), (unsigned)tag);
    buffer_append_slice(out, field->value);
}

// Tag, length and value in more bytes than they need, up to more than is allowed.
static void stretch(const struct field *field, const ProtobufCMessageDescriptor *type,
                    uint64_t *seed, struct buffer *out)
{
    (void)type;
    struct slice value = field->value;
    uint64_t number;
    put_long_varint(out, field->number << 3 | field->type, 2 + below(seed, 10));
    if (field->type == FIELD_BYTES)
        put_long_varint(out, value.length, 3 + below(seed, 9));
    if (field->type == FIELD_VARINT && field_varint(&value, &number))
        put_long_varint(out, number, 2 + below(seed, 10));
    else
        buffer_append_slice(out, value);
}

static void change_length(const struct field *field, const ProtobufCMessageDescriptor *type,
                          uint64_t *seed, struct buffer *out)
{
    (void)type;
    field_put_tag(out, field->number, FIELD_BYTES);
    field_put_varint(out, one_in(seed, 3) ? any_integer(seed)
                                          : field->value.length + below(seed, 5) - 2);
    buffer_append_slice(out, field->value);
}

static void put_unknown(const struct field *field, const ProtobufCMessageDescriptor *type,
                        uint64_t *seed, struct buffer *out)
{
    static const uint64_t numbers[] = {15, 16, 63, 64, 65, 128, 2047, 2048, 99999, (1u << 29) - 1};
    uint64_t number = numbers[below(seed, sizeof numbers / sizeof *numbers)];
    (void)type;
    field_put_tag(out, number, field->type);
    if (field->type == FIELD_BYTES)
        field_put_varint(out, field->value.length);
    buffer_append_slice(out, field->value);
    buffer_append_slice(out, field->whole);
}

static void put_group(const struct field *field, const ProtobufCMessageDescriptor *type,
                      uint64_t *seed, struct buffer *out)
{
    (void)type;
    uint64_t number = one_in(seed, 2) ? field->number : 1 + below(seed, 100);
    field_put_tag(out, number, 3);
    buffer_append_slice(out, field->whole);
    field_put_tag(out, number, 4);
}

static void regenerate(const struct field *field, const ProtobufCMessageDescriptor *type,
                       uint64_t *seed, struct buffer *out)
{
    const ProtobufCFieldDescriptor *descriptor = field_descriptor(type, field->number);
    if (descriptor != NULL)
        put_value(descriptor, seed, 2, out);
}

static void add_another(const struct field *field, const ProtobufCMessageDescriptor *type,
                        uint64_t *seed, struct buffer *out)
{
    if (type->n_fields > 0)
        put_value(&type->fields[below(seed, type->n_fields)], seed, 2, out);
    buffer_append_slice(out, field->whole);
}

// One message becomes two that add up to it; a string becomes two, of which the last counts.
static void split(const struct field *field, const ProtobufCMessageDescriptor *type, uint64_t *seed,
                  struct buffer *out)
{
    struct fields inner = read_fields(field->value);
    size_t half = inner.count > 0 ? below(seed, inner.count + 1) : 0;
    size_t length = 0;
    (void)type;
    for (size_t i = 0; i < half; i++)
        length += inner.list[i].whole.length;
    field_put_bytes(out, field->number, (struct slice){field->value.data, length});
    field_put_bytes(out, field->number,
                    (struct slice){field->value.data + length, field->value.length - length});
    free(inner.list);
}

static void empty(const struct field *field, const ProtobufCMessageDescriptor *type, uint64_t *seed,
                  struct buffer *out)
{
    (void)type, (void)seed;
    field_put_bytes(out, field->number, (struct slice){NULL, 0});
}

static void nest(const struct field *field, const ProtobufCMessageDescriptor *type, uint64_t *seed,
                 struct buffer *out)
{
    (void)type;
    struct buffer inner, outer;
    buffer_init(&inner, SIZE_MAX);
    buffer_append_slice(&inner, field->whole);
    for (size_t depth = 1 + below(seed, 100); depth > 0; depth--) {
        buffer_init(&outer, SIZE_MAX);
        field_put_bytes(&outer, field->number, buffer_slice(&inner));
        buffer_free(&inner);
        inner = outer;
    }
    buffer_append_slice(out, buffer_slice(&inner));
    buffer_free(&inner);
}

static void flip(const struct field *field, const ProtobufCMessageDescriptor *type, uint64_t *seed,
                 struct buffer *out)
{
    (void)type;
    size_t at = out->length;
    buffer_append_slice(out, field->whole);
    out->data[at + below(seed, field->whole.length)] ^= (uint8_t)(1u << below(seed, 8));
}

typedef void change_function(const struct field *field, const ProtobufCMessageDescriptor *type,
                             uint64_t *seed, struct buffer *out);

static change_function *const changes[] = {
    drop,        repeat_anew, repeat,     cut,        change_wire_type, stretch,     change_length,
    put_unknown, put_group,   regenerate, regenerate, add_another,      add_another, split,
    split,       empty,       nest,       flip,       change_nothing,
};

// ---- mutations ----

static void change_one(const struct fields *fields, const ProtobufCMessageDescriptor *type,
                       uint64_t *seed, struct buffer *out)
{
    size_t which = below(seed, fields->count);
    put_fields(out, fields, 0, which);
    changes[below(seed, sizeof changes / sizeof *changes)](&fields->list[which], type, seed, out);
    put_fields(out, fields, which + 1, fields->count);
}

static void move_one(const struct fields *fields, uint64_t *seed, struct buffer *out)
{
    size_t from = below(seed, fields->count), to = below(seed, fields->count);
    for (size_t i = 0; i < fields->count; i++) {
        if (i != from)
            buffer_append_slice(out, fields->list[i].whole);
        if (i == to)
            buffer_append_slice(out, fields->list[from].whole);
    }
}

// A field that is a message, or NULL.
static const struct field *any_nested(const struct fields *fields,
                                      const ProtobufCMessageDescriptor *type, uint64_t *seed,
                                      const ProtobufCFieldDescriptor **descriptor)
{
    size_t first = below(seed, fields->count);
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->list[(first + i) % fields->count];
        *descriptor = field_descriptor(type, field->number);
        if (*descriptor != NULL && (*descriptor)->type == PROTOBUF_C_TYPE_MESSAGE &&
            field->type == FIELD_BYTES)
            return field;
    }
    return NULL;
}

static void change_inside(const struct fields *fields, const struct field *field,
                          const ProtobufCFieldDescriptor *descriptor, uint64_t *seed,
                          struct buffer *out)
{
    struct buffer inner;
    size_t which = (size_t)(field - fields->list);
    buffer_init(&inner, SIZE_MAX);
    mutation_mutate(field->value, descriptor->descriptor, seed, &inner);
    put_fields(out, fields, 0, which);
    field_put_bytes(out, field->number, buffer_slice(&inner));
    put_fields(out, fields, which + 1, fields->count);
    buffer_free(&inner);
}

void mutation_mutate(struct slice message, const ProtobufCMessageDescriptor *type, uint64_t *seed,
                     struct buffer *out)
{
    const ProtobufCFieldDescriptor *descriptor;
    struct fields fields = read_fields(message);
    const struct field *nested =
        fields.count > 0 && !one_in(seed, 4) ? any_nested(&fields, type, seed, &descriptor) : NULL;
    if (fields.count == 0)
        generate(type, seed, 2, out);
    else if (nested != NULL)
        change_inside(&fields, nested, descriptor, seed, out);
    else if (one_in(seed, 6))
        move_one(&fields, seed, out);
    else
        change_one(&fields, type, seed, out);
    buffer_append_slice(out, fields.rest);
    free(fields.list);
}

size_t mutation_mutate_input(const ProtobufCMessageDescriptor *type, uint8_t *data, size_t size,
                             size_t most, unsigned seed)
{
    uint64_t random = seed;
    struct buffer out;
    buffer_init(&out, SIZE_MAX);
    buffer_append(&out, data, 1);
    if (seed % 64 == 1)
        mutation_generate(type, &random, &out);
    else
        mutation_mutate((struct slice){data + 1, size - 1}, type, &random, &out);
    size = out.length < most ? out.length : most;
    memcpy(data, out.data, size);
    buffer_free(&out);
    return size;
}
