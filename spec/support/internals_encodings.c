// SPDX-License-Identifier: Apache-2.0
//
// Messages that are written by hand, beside what protobuf-c writes:
//
//     internals.encoded(type, bytes) -> by hand, by protobuf-c
//     internals.reread(bytes) -> the bytes of the Resource that resource_bytes_read() reads

#include "internals.h"

#include "base/buffer.h"
#include "master/status_encoding.h"
#include "offers/resource_bytes.h"
#include "offers/resources.h"

#include <lauxlib.h>
#include <stdlib.h>

typedef void (*encoder)(struct buffer *out, const ProtobufCMessage *message);

static void put_status(struct buffer *out, const ProtobufCMessage *message)
{
    status_encoding_put(out, (const Mesos__V1__TaskStatus *)message);
}

static void put_container(struct buffer *out, const ProtobufCMessage *message)
{
    status_encoding_put_container(out, (const Mesos__V1__ContainerStatus *)message);
}

static void put_resource(struct buffer *out, const ProtobufCMessage *message)
{
    resource_bytes_put(out, (const Mesos__V1__Resource *)message);
}

static void put_packed(struct buffer *out, const ProtobufCMessage *message)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    protobuf_c_message_pack(message, buffer_reserve(out, length));
    out->length += length;
}

static encoder find_encoder(const ProtobufCMessageDescriptor *type)
{
    if (type == &mesos__v1__task_status__descriptor)
        return put_status;
    return type == &mesos__v1__resource__descriptor ? put_resource : put_container;
}

// [-0, +1, m]
static void push_encoded(lua_State *L, const ProtobufCMessage *message, encoder put)
{
    struct buffer out;
    buffer_init(&out, SIZE_MAX);
    put(&out, message);
    lua_pushlstring(L, buffer_string(&out), out.length);
    buffer_free(&out);
}

static int l_encoded(lua_State *L)
{
    size_t length;
    const ProtobufCMessageDescriptor *type = internals_check_type(L, 1);
    const char *bytes = luaL_checklstring(L, 2, &length);
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, NULL, length, (const uint8_t *)bytes);
    if (message == NULL)
        return luaL_error(L, "protobuf-c refuses these bytes");
    push_encoded(L, message, find_encoder(type));
    push_encoded(L, message, put_packed);
    protobuf_c_message_free_unpacked(message, NULL);
    return 2;
}

static int l_reread(lua_State *L)
{
    struct slice bytes;
    bytes.data = (const uint8_t *)luaL_checklstring(L, 1, &bytes.length);
    Mesos__V1__Resource *resource = resource_bytes_read(bytes);
    if (resource == NULL)
        return luaL_error(L, "protobuf-c refuses these bytes");
    push_encoded(L, &resource->base, put_packed);
    resource_free(resource);
    return 1;
}

void internals_encodings_open(lua_State *L)
{
    lua_pushcfunction(L, l_encoded);
    lua_setfield(L, -2, "encoded");
    lua_pushcfunction(L, l_reread);
    lua_setfield(L, -2, "reread");
}
