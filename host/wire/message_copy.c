// SPDX-License-Identifier: Apache-2.0
//
// A copy of a message: see message_copy.h.

#include "wire/message_copy.h"

#include "base/memory.h"

#include <stdlib.h>

void *message_copy(const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = memory_new(size + 1);
    protobuf_c_message_pack(message, bytes);
    void *copy = protobuf_c_message_unpack(message->descriptor, NULL, size, bytes);
    free(bytes);
    return copy;
}
