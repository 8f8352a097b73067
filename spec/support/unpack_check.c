// SPDX-License-Identifier: Apache-2.0
//
// Two messages are compared by what they are packed into, and by the flags of their fields, of
// which packing overlooks some: see unpack_check.h.

#include "unpack_check.h"

#include "base/memory.h"
#include "wire/message_room.h"

#include <stdlib.h>
#include <string.h>

static bool same_packed(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    size_t length = protobuf_c_message_get_packed_size(a);
    if (protobuf_c_message_get_packed_size(b) != length)
        return false;
    uint8_t *bytes = memory_new(2 * length + 1);
    protobuf_c_message_pack(a, bytes);
    protobuf_c_message_pack(b, bytes + length);
    bool same = memcmp(bytes, bytes + length, length) == 0;
    free(bytes);
    return same;
}

// A message that is in none, with what it points to left out.
static bool same_shallow(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    for (unsigned i = 0; i < a->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &a->descriptor->fields[i];
        bool list = field->label == PROTOBUF_C_LABEL_REPEATED;
        size_t size = list ? sizeof(size_t) : sizeof(uint32_t);
        if (field->quantifier_offset != 0 &&
            memcmp((const char *)a + field->quantifier_offset,
                   (const char *)b + field->quantifier_offset, size) != 0)
            return false;
    }
    return a->descriptor == b->descriptor && a->n_unknown_fields == b->n_unknown_fields;
}

static bool same(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    return same_shallow(a, b) && same_packed(a, b) &&
           protobuf_c_message_check(a) == protobuf_c_message_check(b);
}

enum unpack_verdict unpack_check(const ProtobufCMessageDescriptor *type, struct slice bytes)
{
    struct message_room room = {.owned = NULL};
    ProtobufCMessage *expected = protobuf_c_message_unpack(type, NULL, bytes.length, bytes.data);
    const ProtobufCMessage *quick = message_room_unpack_quickly(&room, type, bytes);
    enum unpack_verdict verdict = expected ? UNPACK_LEFT : UNPACK_REFUSED;
    if (quick != NULL)
        verdict = expected != NULL && same(quick, expected) ? UNPACK_SAME : UNPACK_DIFFERS;
    const ProtobufCMessage *any = message_room_unpack(&room, type, bytes);
    if ((any != NULL) != (expected != NULL) || (any != NULL && !same(any, expected)))
        verdict = UNPACK_DIFFERS;
    message_room_free(&room);
    if (expected != NULL)
        protobuf_c_message_free_unpacked(expected, NULL);
    return verdict;
}
