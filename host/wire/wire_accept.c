// SPDX-License-Identifier: Apache-2.0
//
// Accepting what was received: see wire_accept.h. Most messages pass the quick validation; only
// those that do not are looked at field by field (wire.c), and few of them have to be merged.
//
// A plan is what a descriptor says, by tag and with nothing left to search: one byte tells what to
// do with a field. The walk keeps the messages that it is inside of in an array, not on the C
// stack.

#include "wire/wire_accept.h"

#include "base/memory.h"
#include "wire/type_table.h"
#include "wire/wire.h"
#include "wire/wire_head.h"
#include "wire/wire_merge.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBERS_MOST = WIRE_HEAD_NUMBERS, TAGS_MOST = WIRE_HEAD_TAGS, DEPTH_MOST = 32 };

// What to do with a field of that tag.
enum step {
    REFUSE, // leave the message to the slower half
    SKIP_VARINT,
    SKIP_FIXED64,
    SKIP_FIXED32,
    SKIP_BYTES,
    ENTER,
};

struct plan {
    struct type_entry entry;
    uint64_t required, singular; // a bit for each field number
    uint8_t lone;                // tag of field 1, if that alone makes a whole message, or 0
    uint8_t steps[TAGS_MOST];
    const ProtobufCMessageDescriptor *types[NUMBERS_MOST];   // of message fields
    _Atomic(const struct type_entry *) nested[NUMBERS_MOST]; // their plans, once they were needed
};

// ---- making plans ----

static uint8_t step_of(const ProtobufCFieldDescriptor *field)
{
    static const uint8_t skips[] = {[WIRE_VARINT] = SKIP_VARINT,
                                    [WIRE_FIXED64] = SKIP_FIXED64,
                                    [WIRE_BYTES] = SKIP_BYTES,
                                    [WIRE_FIXED32] = SKIP_FIXED32};
    return field->type == PROTOBUF_C_TYPE_MESSAGE ? ENTER : skips[wire_type_of(field->type)];
}

// Until a field is described, it is an unknown one.
static void forget_all(struct plan *plan)
{
    static const uint8_t steps[8] = {[WIRE_VARINT] = SKIP_VARINT,
                                     [WIRE_FIXED64] = SKIP_FIXED64,
                                     [WIRE_BYTES] = SKIP_BYTES,
                                     [WIRE_FIXED32] = SKIP_FIXED32};
    for (size_t tag = 1 << 3; tag < TAGS_MOST; tag++)
        plan->steps[tag] = steps[tag & 7];
}

static void describe(struct plan *plan, const ProtobufCFieldDescriptor *field)
{
    memset(&plan->steps[field->id << 3], REFUSE, 8);
    plan->steps[field->id << 3 | wire_type_of(field->type)] = step_of(field);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        plan->types[field->id] = field->descriptor;
    if (field->label == PROTOBUF_C_LABEL_REQUIRED)
        plan->required |= UINT64_C(1) << field->id;
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        plan->singular |= UINT64_C(1) << field->id;
}

static uint8_t lone_tag(const struct plan *plan)
{
    enum { TEXT = 1 << 3 | WIRE_BYTES, DOUBLE = 1 << 3 | WIRE_FIXED64 };
    if ((plan->required & ~UINT64_C(2)) != 0)
        return 0;
    if (plan->steps[TEXT] == SKIP_BYTES)
        return TEXT;
    return plan->steps[DOUBLE] == SKIP_FIXED64 ? DOUBLE : 0;
}

static struct type_entry *make(const ProtobufCMessageDescriptor *type)
{
    for (unsigned i = 0; i < type->n_fields; i++)
        if (type->fields[i].id >= NUMBERS_MOST)
            return NULL;
    struct plan *plan = memory_new(sizeof *plan);
    plan->entry.type = type;
    forget_all(plan);
    for (unsigned i = 0; i < type->n_fields; i++)
        describe(plan, &type->fields[i]);
    plan->lone = lone_tag(plan);
    return &plan->entry;
}

static void free_plan(struct type_entry *plan)
{
    free(plan);
}

static struct type_table plans = {.make = make, .free = free_plan};

static const struct plan *plan_of(const ProtobufCMessageDescriptor *type)
{
    return (const struct plan *)type_table_get(&plans, type);
}

static const struct plan *nested_plan(const struct plan *plan, unsigned number)
{
    _Atomic(const struct type_entry *) *slot = &((struct plan *)(uintptr_t)plan)->nested[number];
    return (const struct plan *)type_table_nested(&plans, plan->types[number], slot);
}

// ---- walking ----

// A message that the walk is inside of.
struct validation_level {
    const struct plan *plan;
    const uint8_t *end;
    uint64_t seen; // a bit for each field number
};

static const uint8_t *skip_long_varint(const uint8_t *at, const uint8_t *end)
{
    for (int i = 0; i < 10 && at < end; i++)
        if (*at++ < 0x80)
            return at;
    return NULL;
}

static inline const uint8_t *skip_varint(const uint8_t *at, const uint8_t *end)
{
    return at < end && *at < 0x80 ? at + 1 : skip_long_varint(at, end);
}

static inline const uint8_t *skip_bytes(const uint8_t *at, const uint8_t *end)
{
    size_t length;
    at = wire_head_length(at, end, &length);
    return at ? at + length : NULL;
}

// True if that is a text or a double in field 1 and nothing else, as ids and amounts are.
static inline bool is_lone(const struct plan *plan, const uint8_t *at, size_t length)
{
    if (length < 2 || at[0] != plan->lone || plan->lone == 0)
        return false;
    return (at[0] & 7) == WIRE_BYTES ? at[1] < 0x80 && at[1] == length - 2 : length == 9;
}

static inline bool is_complete(const struct plan *plan, uint64_t seen)
{
    return (seen & plan->required) == plan->required;
}

// The one loop: what it is inside of is in registers, what is around that in `levels`.
static bool accepts(const uint8_t *at, const uint8_t *end, const struct plan *plan)
{
    struct validation_level levels[DEPTH_MOST], *level = levels;
    uint64_t seen = 0;
    size_t length;
    while (at != NULL) {
        for (; at == end; plan = level->plan, end = level->end, seen = level->seen) {
            if (!is_complete(plan, seen))
                return false;
            if (level == levels)
                return true;
            level--;
        }
        unsigned tag;
        at = wire_head_tag(at, end, &tag);
        uint64_t bit = UINT64_C(1) << (tag >> 3);
        switch (plan->steps[tag]) {
        case SKIP_VARINT:
            at = skip_varint(at, end);
            break;
        case SKIP_BYTES:
            at = skip_bytes(at, end);
            break;
        case SKIP_FIXED64:
            at = wire_head_skip(at, end, 8);
            break;
        case SKIP_FIXED32:
            at = wire_head_skip(at, end, 4);
            break;
        case ENTER: {
            const struct plan *nested = nested_plan(plan, tag >> 3);
            at = wire_head_length(at, end, &length);
            if (at == NULL || nested == NULL || (seen & bit & plan->singular) != 0)
                return false;
            if (is_lone(nested, at, length)) {
                at += length;
                break;
            }
            if (level == levels + DEPTH_MOST)
                return false;
            *level++ = (struct validation_level){.plan = plan, .end = end, .seen = seen | bit};
            plan = nested;
            end = at + length;
            seen = 0;
            continue;
        }
        case REFUSE:
            return false;
        default:
            __builtin_unreachable();
        }
        seen |= bit;
    }
    return false;
}

bool wire_accept_quickly(struct slice message, const ProtobufCMessageDescriptor *type)
{
    const struct plan *plan = plan_of(type);
    if (plan == NULL || message.length == 0)
        return false;
    return accepts(message.data, message.data + message.length, plan);
}

bool wire_accept(struct bytes **message, const ProtobufCMessageDescriptor *type, struct error *err)
{
    bool to_merge;
    if (wire_accept_quickly(slice_of(*message), type))
        return true;
    if (!wire_validate(slice_of(*message), type, &to_merge, err))
        return false;
    if (!to_merge)
        return true;
    struct bytes *received = *message;
    *message = wire_merge(slice_of(received), type);
    bytes_unref(received);
    return wire_validate(slice_of(*message), type, &to_merge, err);
}

bool wire_accept_as_is(struct slice message, const ProtobufCMessageDescriptor *type,
                       struct error *err)
{
    bool to_merge;
    return wire_accept_quickly(message, type) || wire_validate(message, type, &to_merge, err);
}
