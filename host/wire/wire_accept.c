// SPDX-License-Identifier: Apache-2.0
//
// Accepting what was received: see wire_accept.h. Most messages pass the quick validation; only
// those that do not are looked at field by field, and few of them have to be merged.

#include "wire/wire_accept.h"

#include "wire/wire.h"
#include "wire/wire_fast_validate.h"
#include "wire/wire_merge.h"

bool wire_accept(struct bytes **message, const ProtobufCMessageDescriptor *type, struct error *err)
{
    bool to_merge;
    if (wire_fast_validate_accepts(slice_of(*message), type))
        return true;
    if (!wire_validate_slowly(slice_of(*message), type, &to_merge, err))
        return false;
    if (!to_merge)
        return true;
    struct bytes *received = *message;
    *message = wire_merge(slice_of(received), type);
    bytes_unref(received);
    return wire_validate_slowly(slice_of(*message), type, &to_merge, err);
}
