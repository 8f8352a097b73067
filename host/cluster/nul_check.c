// SPDX-License-Identifier: Apache-2.0
//
// A walk over the bytes of a message by its descriptor: see nul_check.h.

#include "cluster/nul_check.h"

#include "wire/wire.h"

#include <string.h>

#define DEPTH_LIMIT 64 // of messages, some of which contain themselves

static bool in_field(struct error *err, const char *name)
{
    if (err == NULL)
        return false;
    struct error inner = *err;
    return error_set(err, inner.code, "%s.%.900s", name, inner.text);
}

static bool check(struct slice message, const ProtobufCMessageDescriptor *type, unsigned depth,
                  struct error *err)
{
    struct wire wire = wire_open(message);
    struct wire_field part;
    if (depth >= DEPTH_LIMIT)
        return error_set(err, ERROR_LIMIT, "messages are nested more than %d deep", DEPTH_LIMIT);
    while (wire_next(&wire, &part)) {
        const ProtobufCFieldDescriptor *field =
            part.type == WIRE_BYTES ? protobuf_c_message_descriptor_get_field(type, part.number)
                                    : NULL;
        if (field == NULL)
            continue;
        if (field->type == PROTOBUF_C_TYPE_STRING &&
            memchr(part.bytes.data, 0, part.bytes.length) != NULL)
            return error_set(err, ERROR_INVALID, "%s: the text has a NUL in it", field->name);
        if (field->type == PROTOBUF_C_TYPE_MESSAGE &&
            !check(part.bytes, field->descriptor, depth + 1, err))
            return in_field(err, field->name);
    }
    return true;
}

bool nul_check(struct slice message, const ProtobufCMessageDescriptor *type, struct error *err)
{
    return check(message, type, 0, err);
}
