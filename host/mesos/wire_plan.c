// SPDX-License-Identifier: Apache-2.0
//
// Quick validation: see wire_plan.h. A plan is what a descriptor says, by field number and with
// nothing left to search. Plans are made when a type is first met and live as long as the process;
// several threads may meet (the C interface has a loop thread for each driver), so that they are
// published by compare-and-swap: whoever loses throws his copy away.

#include "mesos/wire_plan.h"

#include "base/memory.h"
#include "mesos/wire.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { NUMBERS_MOST = 64, PLANS_MOST = 1024, DEPTH_MOST = 32 };

struct plan;

struct row {
    const ProtobufCMessageDescriptor *type; // of a message field, or NULL
    _Atomic(const struct plan *) nested;    // its plan, once it was needed
    uint8_t wire_type;
    bool known, repeated;
};

struct plan {
    const ProtobufCMessageDescriptor *type;
    uint64_t required; // a bit for each field number
    struct row rows[NUMBERS_MOST];
};

static _Atomic(struct plan *) plans[PLANS_MOST];

// ---- making plans ----

static void describe(struct plan *plan, const ProtobufCFieldDescriptor *field)
{
    struct row *row = &plan->rows[field->id];
    row->known = true;
    row->repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    row->wire_type = (uint8_t)wire_type_of(field->type);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        row->type = field->descriptor;
    if (field->label == PROTOBUF_C_LABEL_REQUIRED)
        plan->required |= UINT64_C(1) << field->id;
}

static struct plan *make(const ProtobufCMessageDescriptor *type)
{
    for (unsigned i = 0; i < type->n_fields; i++)
        if (type->fields[i].id >= NUMBERS_MOST)
            return NULL;
    struct plan *plan = memory_new(sizeof *plan);
    plan->type = type;
    for (unsigned i = 0; i < type->n_fields; i++)
        describe(plan, &type->fields[i]);
    return plan;
}

// Puts it into the slot unless somebody was faster; what is in the slot then.
static struct plan *publish(_Atomic(struct plan *) *slot, struct plan *plan)
{
    struct plan *found = NULL;
    if (atomic_compare_exchange_strong(slot, &found, plan))
        return plan;
    return found;
}

static const struct plan *plan_of(const ProtobufCMessageDescriptor *type)
{
    size_t slot = ((uintptr_t)type >> 5) * 2654435761u % PLANS_MOST;
    struct plan *made = NULL;
    for (size_t tries = 0; tries < PLANS_MOST; tries++, slot = (slot + 1) % PLANS_MOST) {
        struct plan *found = atomic_load(&plans[slot]);
        if (found == NULL && made == NULL && (made = make(type)) == NULL)
            return NULL;
        if (found == NULL)
            found = publish(&plans[slot], made);
        if (found == made)
            return made;
        if (found->type == type) {
            free(made);
            return found;
        }
    }
    free(made);
    return NULL;
}

static const struct plan *nested_plan(struct row *row)
{
    const struct plan *plan = atomic_load_explicit(&row->nested, memory_order_acquire);
    if (plan == NULL) {
        plan = plan_of(row->type);
        atomic_store_explicit(&row->nested, plan, memory_order_release);
    }
    return plan;
}

// ---- walking ----

static const uint8_t *skip_varint(const uint8_t *at, const uint8_t *end)
{
    for (int i = 0; i < 10 && at < end; i++)
        if (*at++ < 0x80)
            return at;
    return NULL;
}

// Lengths of up to 28 bits; NULL otherwise.
static const uint8_t *read_length(const uint8_t *at, const uint8_t *end, size_t *length)
{
    *length = 0;
    for (unsigned shift = 0; shift < 28 && at < end; shift += 7) {
        *length |= (size_t)(*at & 0x7f) << shift;
        if (*at++ < 0x80)
            return *length <= (size_t)(end - at) ? at : NULL;
    }
    return NULL;
}

static bool accepts(const uint8_t *at, const uint8_t *end, const struct plan *plan, int depth);

static bool accepts_nested(struct row *row, const uint8_t *at, const uint8_t *end, bool again,
                           int depth)
{
    if ((again && !row->repeated) || depth == DEPTH_MOST)
        return false;
    const struct plan *plan = nested_plan(row);
    return plan != NULL && accepts(at, end, plan, depth + 1);
}

static bool accepts(const uint8_t *at, const uint8_t *end, const struct plan *plan, int depth)
{
    uint64_t seen = 0;
    while (at < end) {
        uint32_t tag = *at++;
        if (tag >= 0x80) {
            if (at == end || *at >= 0x80 >> 4)
                return false;
            tag = (tag & 0x7f) | (uint32_t)*at++ << 7;
        }
        uint32_t number = tag >> 3, type = tag & 7;
        struct row *row = (struct row *)(uintptr_t)&plan->rows[number % NUMBERS_MOST];
        size_t length = type == WIRE_FIXED64 ? 8 : 4;
        if (number == 0 || number >= NUMBERS_MOST || (row->known && row->wire_type != type))
            return false;
        if (type == WIRE_BYTES) {
            at = read_length(at, end, &length);
            if (at == NULL)
                return false;
            if (row->type != NULL &&
                !accepts_nested(row, at, at + length, seen >> number & 1, depth))
                return false;
            at += length;
        } else if (type == WIRE_VARINT) {
            at = skip_varint(at, end);
            if (at == NULL)
                return false;
        } else if ((type == WIRE_FIXED64 || type == WIRE_FIXED32) && length <= (size_t)(end - at)) {
            at += length;
        } else {
            return false;
        }
        seen |= UINT64_C(1) << number;
    }
    return (seen & plan->required) == plan->required;
}

bool wire_plan_accepts(struct slice message, const ProtobufCMessageDescriptor *type)
{
    const struct plan *plan = plan_of(type);
    if (plan == NULL || message.length == 0)
        return false;
    return accepts(message.data, message.data + message.length, plan, 1);
}
