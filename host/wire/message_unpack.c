// SPDX-License-Identifier: Apache-2.0
//
// Unpacking by plans: see message_unpack.h. A plan is what a descriptor says, by field number and
// with nothing left to search: where the value goes, and how it is read. A message begins as a copy
// of the blank one. The room for a list is that of the elements that follow each other, which are
// counted when the first of them comes; a list that comes in several runs grows by doubling, so
// what it takes is in proportion to the bytes.

#include "wire/message_unpack.h"

#include "base/memory.h"
#include "wire/type_table.h"
#include "wire/wire.h"
#include "wire/wire_head.h"

#include <endian.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MOST = 32, ID_TAG = 1 << 3 | WIRE_BYTES, NO_TAG = UINT16_MAX };

enum unpack_step {
    PUT_32,
    PUT_64,
    PUT_BOOL,
    PUT_FIXED32,
    PUT_FIXED64,
    PUT_TEXT,
    PUT_BYTES,
    PUT_MESSAGE
};

// Where the value goes.
enum unpack_place { PLACE_ALONE, PLACE_FLAGGED, PLACE_ONEOF, PLACE_LIST };

struct unpack_field {
    uint16_t tag; // 0: there is no such field, or it is left to protobuf-c
    uint8_t step, place;
    uint32_t size; // of the value
    uint32_t offset, quantifier;
    const ProtobufCMessageDescriptor *type; // of a message
    _Atomic(const struct type_entry *) nested;
};

struct unpack_plan {
    struct type_entry entry;
    void *blank;
    size_t size;       // of the struct
    uint64_t required; // a bit for each field number
    bool is_id;        // its struct is that of an id
    unsigned numbers;  // one more than the highest
    struct unpack_field fields[];
};

// ---- making plans ----

static const struct {
    uint8_t step, size;
    bool known;
} kinds[] = {
    [PROTOBUF_C_TYPE_INT32] = {PUT_32, 4, true},
    [PROTOBUF_C_TYPE_UINT32] = {PUT_32, 4, true},
    [PROTOBUF_C_TYPE_ENUM] = {PUT_32, 4, true},
    [PROTOBUF_C_TYPE_INT64] = {PUT_64, 8, true},
    [PROTOBUF_C_TYPE_UINT64] = {PUT_64, 8, true},
    [PROTOBUF_C_TYPE_BOOL] = {PUT_BOOL, sizeof(protobuf_c_boolean), true},
    [PROTOBUF_C_TYPE_FIXED32] = {PUT_FIXED32, 4, true},
    [PROTOBUF_C_TYPE_SFIXED32] = {PUT_FIXED32, 4, true},
    [PROTOBUF_C_TYPE_FLOAT] = {PUT_FIXED32, 4, true},
    [PROTOBUF_C_TYPE_FIXED64] = {PUT_FIXED64, 8, true},
    [PROTOBUF_C_TYPE_SFIXED64] = {PUT_FIXED64, 8, true},
    [PROTOBUF_C_TYPE_DOUBLE] = {PUT_FIXED64, 8, true},
    [PROTOBUF_C_TYPE_STRING] = {PUT_TEXT, sizeof(char *), true},
    [PROTOBUF_C_TYPE_BYTES] = {PUT_BYTES, sizeof(ProtobufCBinaryData), true},
    [PROTOBUF_C_TYPE_MESSAGE] = {PUT_MESSAGE, sizeof(void *), true},
};

static uint8_t place_of(const ProtobufCFieldDescriptor *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return PLACE_LIST;
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
        return PLACE_ONEOF;
    bool flagged = field->label != PROTOBUF_C_LABEL_REQUIRED && field->quantifier_offset != 0;
    return flagged ? PLACE_FLAGGED : PLACE_ALONE;
}

static void describe(struct unpack_plan *plan, const ProtobufCFieldDescriptor *field)
{
    bool known = (size_t)field->type < sizeof kinds / sizeof kinds[0] && kinds[field->type].known;
    if (field->label == PROTOBUF_C_LABEL_REQUIRED && field->default_value == NULL)
        plan->required |= UINT64_C(1) << field->id;
    if (!known)
        return;
    struct unpack_field *to = &plan->fields[field->id];
    to->tag = (uint16_t)(field->id << 3 | wire_type_of(field->type));
    to->step = kinds[field->type].step;
    to->size = kinds[field->type].size;
    to->place = place_of(field);
    to->offset = field->offset;
    to->quantifier = field->quantifier_offset;
    to->type = field->type == PROTOBUF_C_TYPE_MESSAGE ? field->descriptor : NULL;
}

// A text in field 1, which makes a whole message.
struct id_message {
    ProtobufCMessage base;
    char *text;
};

static bool is_id(const struct unpack_plan *plan)
{
    const struct unpack_field *first = &plan->fields[1];
    return plan->numbers == 2 && plan->size == sizeof(struct id_message) && first->tag == ID_TAG &&
           first->step == PUT_TEXT && first->place == PLACE_ALONE &&
           first->offset == offsetof(struct id_message, text);
}

static struct type_entry *make(const ProtobufCMessageDescriptor *type)
{
    unsigned numbers = 1;
    for (unsigned i = 0; i < type->n_fields; i++)
        numbers = type->fields[i].id >= numbers ? type->fields[i].id + 1 : numbers;
    if (numbers > WIRE_HEAD_NUMBERS || type->message_init == NULL)
        return NULL;
    struct unpack_plan *plan = memory_new(sizeof *plan + numbers * sizeof plan->fields[0]);
    plan->entry.type = type;
    plan->numbers = numbers;
    plan->size = type->sizeof_message;
    plan->blank = memory_new(plan->size);
    type->message_init(plan->blank);
    for (unsigned i = 0; i < type->n_fields; i++)
        describe(plan, &type->fields[i]);
    plan->is_id = is_id(plan);
    plan->fields[0].tag = NO_TAG;
    return &plan->entry;
}

static void free_plan(struct type_entry *entry)
{
    free(((struct unpack_plan *)entry)->blank);
    free(entry);
}

static struct type_table plans = {.make = make, .free = free_plan};

static const struct unpack_plan *nested_plan(const struct unpack_field *field)
{
    _Atomic(const struct type_entry *) *slot = &((struct unpack_field *)(uintptr_t)field)->nested;
    return (const struct unpack_plan *)type_table_nested(&plans, field->type, slot);
}

// ---- lists ----

// The pointer of a list is behind the number of elements that there is room for.
static size_t list_room(const void *list)
{
    return list ? ((const size_t *)list)[-1] : 0;
}

// The length of the run that begins with an element at `at`, behind its tag. Only short tags in
// front of lengths are followed.
static size_t count_run(const struct unpack_field *field, const uint8_t *at, const uint8_t *end)
{
    size_t count = 1, length;
    if (field->tag >= 0x80 || (field->tag & 7) != WIRE_BYTES)
        return count;
    for (at = wire_head_length(at, end, &length); at != NULL; count++) {
        at += length;
        if (at == end || *at != field->tag)
            break;
        at = wire_head_length(at + 1, end, &length);
    }
    return count;
}

static void *grow(struct arena *arena, const struct unpack_field *field, const void *list,
                  size_t count, size_t run)
{
    size_t room = count + (run > count ? run : count);
    size_t *head = arena_take(arena, sizeof *head + room * field->size);
    *head = room;
    if (count > 0)
        memcpy(head + 1, list, count * field->size);
    return head + 1;
}

static void *next_element(struct arena *arena, const struct unpack_field *field, char *message,
                          const uint8_t *at, const uint8_t *end)
{
    size_t *count = (size_t *)(void *)(message + field->quantifier);
    char **list = (char **)(void *)(message + field->offset);
    if (*count == list_room(*list))
        *list = grow(arena, field, *list, *count, count_run(field, at, end));
    void *element = *list + *count * field->size;
    ++*count;
    if (field->step == PUT_MESSAGE)
        *(void **)element = NULL;
    return element;
}

// ---- values ----

static const uint8_t *read_varint(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 70 && at < end; shift += 7) {
        *value |= (uint64_t)(*at & 0x7f) << shift;
        if (*at++ < 0x80)
            return at;
    }
    return NULL;
}

static const uint8_t *put_varint(const uint8_t *at, const uint8_t *end, size_t size, void *to)
{
    uint64_t value;
    at = read_varint(at, end, &value);
    uint32_t low = (uint32_t)value;
    memcpy(to, size == sizeof low ? (void *)&low : (void *)&value, size);
    return at;
}

// Of a longer one protobuf-c looks at all bits.
static const uint8_t *put_bool(const uint8_t *at, const uint8_t *end, protobuf_c_boolean *to)
{
    if (at == end || *at >= 0x80)
        return NULL;
    *to = *at != 0;
    return at + 1;
}

static const uint8_t *put_fixed32(const uint8_t *at, const uint8_t *end, void *to)
{
    uint32_t value;
    if (wire_head_skip(at, end, sizeof value) == NULL)
        return NULL;
    memcpy(&value, at, sizeof value);
    value = le32toh(value);
    memcpy(to, &value, sizeof value);
    return at + sizeof value;
}

static const uint8_t *put_fixed64(const uint8_t *at, const uint8_t *end, void *to)
{
    uint64_t value;
    if (wire_head_skip(at, end, sizeof value) == NULL)
        return NULL;
    memcpy(&value, at, sizeof value);
    value = le64toh(value);
    memcpy(to, &value, sizeof value);
    return at + sizeof value;
}

static const uint8_t *put_text(struct arena *arena, const uint8_t *at, const uint8_t *end,
                               char **to)
{
    size_t length;
    at = wire_head_length(at, end, &length);
    if (at == NULL || memchr(at, 0, length) != NULL)
        return NULL;
    *to = arena_take(arena, length + 1);
    memcpy(*to, at, length);
    (*to)[length] = 0;
    return at + length;
}

static const uint8_t *put_bytes(struct arena *arena, const uint8_t *at, const uint8_t *end,
                                ProtobufCBinaryData *to)
{
    size_t length;
    at = wire_head_length(at, end, &length);
    if (at == NULL)
        return NULL;
    *to = (ProtobufCBinaryData){.len = length};
    if (length > 0)
        to->data = memcpy(arena_take(arena, length), at, length);
    return at + length;
}

// ---- messages ----

static ProtobufCMessage *unpack(struct arena *arena, const struct unpack_plan *plan,
                                const uint8_t *at, const uint8_t *end, unsigned depth);

// An id, in one block with its text; NULL: it is another message, or an unusual one.
static ProtobufCMessage *unpack_id(struct arena *arena, const struct unpack_plan *plan,
                                   const uint8_t *at, size_t length)
{
    if (!plan->is_id || length < 2 || at[0] != ID_TAG || at[1] >= 0x80 || at[1] != length - 2 ||
        memchr(at + 2, 0, length - 2) != NULL)
        return NULL;
    struct id_message *message = arena_take(arena, sizeof *message + length - 1);
    memcpy(message, plan->blank, sizeof *message);
    message->text = memcpy(message + 1, at + 2, length - 2);
    message->text[length - 2] = 0;
    return &message->base;
}

// A second part of it would have to be merged.
static const uint8_t *put_message(struct arena *arena, const struct unpack_field *field,
                                  const uint8_t *at, const uint8_t *end, unsigned depth, void **to)
{
    size_t length;
    const struct unpack_plan *plan = nested_plan(field);
    at = wire_head_length(at, end, &length);
    if (at == NULL || plan == NULL || *to != NULL || depth == DEPTH_MOST)
        return NULL;
    *to = unpack_id(arena, plan, at, length);
    if (*to == NULL)
        *to = unpack(arena, plan, at, at + length, depth + 1);
    return *to ? at + length : NULL;
}

// Where the value of the field goes; NULL: a oneof has a member already.
static void *place(struct arena *arena, const struct unpack_field *field, char *message,
                   const uint8_t *at, const uint8_t *end)
{
    uint32_t *which = (uint32_t *)(void *)(message + field->quantifier);
    switch ((enum unpack_place)field->place) {
    case PLACE_LIST:
        return next_element(arena, field, message, at, end);
    case PLACE_FLAGGED:
        *(protobuf_c_boolean *)which = true;
        break;
    case PLACE_ONEOF:
        if (*which != 0)
            return NULL;
        *which = (uint32_t)field->tag >> 3;
        break;
    case PLACE_ALONE:
        break;
    }
    return message + field->offset;
}

static const uint8_t *put(struct arena *arena, const struct unpack_field *field, char *message,
                          const uint8_t *at, const uint8_t *end, unsigned depth)
{
    void *to = place(arena, field, message, at, end);
    if (to == NULL)
        return NULL;
    switch ((enum unpack_step)field->step) {
    case PUT_MESSAGE:
        return put_message(arena, field, at, end, depth, to);
    case PUT_TEXT:
        return put_text(arena, at, end, to);
    case PUT_BYTES:
        return put_bytes(arena, at, end, to);
    case PUT_32:
    case PUT_64:
        return put_varint(at, end, field->size, to);
    case PUT_BOOL:
        return put_bool(at, end, to);
    case PUT_FIXED32:
        return put_fixed32(at, end, to);
    case PUT_FIXED64:
        return put_fixed64(at, end, to);
    }
    return NULL;
}

static ProtobufCMessage *unpack(struct arena *arena, const struct unpack_plan *plan,
                                const uint8_t *at, const uint8_t *end, unsigned depth)
{
    char *message = memcpy(arena_take(arena, plan->size), plan->blank, plan->size);
    uint64_t seen = 0;
    while (at != end) {
        unsigned tag;
        at = wire_head_tag(at, end, &tag);
        const struct unpack_field *field = &plan->fields[tag >> 3];
        if (tag >> 3 >= plan->numbers || field->tag != tag)
            return NULL;
        seen |= UINT64_C(1) << (tag >> 3);
        at = put(arena, field, message, at, end, depth);
        if (at == NULL)
            return NULL;
    }
    return (seen & plan->required) == plan->required ? (ProtobufCMessage *)(void *)message : NULL;
}

ProtobufCMessage *message_unpack_quickly(struct arena *arena,
                                         const ProtobufCMessageDescriptor *type, struct slice bytes)
{
    const struct unpack_plan *plan = (const struct unpack_plan *)type_table_get(&plans, type);
    if (plan == NULL || bytes.length == 0)
        return NULL;
    return unpack(arena, plan, bytes.data, bytes.data + bytes.length, 0);
}
