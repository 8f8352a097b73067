// SPDX-License-Identifier: Apache-2.0
//
// Messages that are written by hand, beside what protobuf-c writes:
//
//     internals.encoded(type, bytes) -> by hand, by protobuf-c
//     internals.reread(bytes) -> the bytes of the Resource that resource_bytes_read() reads
//     internals.update_event(status) -> the event that a framework is sent of that TaskStatus
//     internals.copied(type, bytes) -> by protobuf-c, of a copy in one block
//     internals.remembered(info, status...) -> the Task that a master remembers of a TaskInfo

#include "internals.h"

#include "agent/status_update.h"
#include "base/buffer.h"
#include "master/task_record.h"
#include "offers/resource_bytes.h"
#include "offers/resources.h"
#include "wire/message_copy.h"

#include <lauxlib.h>
#include <stdlib.h>

typedef void (*encoder)(struct buffer *out, const ProtobufCMessage *message);

static void put_status(struct buffer *out, const ProtobufCMessage *message)
{
    struct status_update *update = status_update_create((const Mesos__V1__TaskStatus *)message);
    buffer_append(out, update->status.data, update->status.length);
    status_update_unref(update);
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
    return type == &mesos__v1__resource__descriptor ? put_resource : put_status;
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

static ProtobufCMessage *unpack(lua_State *L, const ProtobufCMessageDescriptor *type, int index)
{
    size_t length;
    const char *bytes = luaL_checklstring(L, index, &length);
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, NULL, length, (const uint8_t *)bytes);
    if (message == NULL)
        luaL_error(L, "protobuf-c refuses these bytes");
    return message;
}

static int l_encoded(lua_State *L)
{
    const ProtobufCMessageDescriptor *type = internals_check_type(L, 1);
    ProtobufCMessage *message = unpack(L, type, 2);
    push_encoded(L, message, find_encoder(type));
    push_encoded(L, message, put_packed);
    protobuf_c_message_free_unpacked(message, NULL);
    return 2;
}

static int l_update_event(lua_State *L)
{
    ProtobufCMessage *status = unpack(L, &mesos__v1__task_status__descriptor, 1);
    struct status_update *update = status_update_create((const Mesos__V1__TaskStatus *)status);
    protobuf_c_message_free_unpacked(status, NULL);
    lua_pushlstring(L, (const char *)update->event.data, update->event.length);
    status_update_unref(update);
    return 1;
}

// The original is gone before the copy is looked at.
static int l_copied(lua_State *L)
{
    ProtobufCMessage *message = unpack(L, internals_check_type(L, 1), 2);
    ProtobufCMessage *copy = message_copy_block(message);
    protobuf_c_message_free_unpacked(message, NULL);
    push_encoded(L, copy, put_packed);
    free(copy);
    return 1;
}

static void add_status(lua_State *L, struct task_record *record, int index)
{
    ProtobufCMessage *status = unpack(L, &mesos__v1__task_status__descriptor, index);
    struct status_update *update = status_update_create((const Mesos__V1__TaskStatus *)status);
    task_record_add_status(record, update);
    status_update_unref(update);
    protobuf_c_message_free_unpacked(status, NULL);
}

static int l_remembered(lua_State *L)
{
    ProtobufCMessage *message = unpack(L, &mesos__v1__task_info__descriptor, 1);
    const Mesos__V1__TaskInfo *info = (const Mesos__V1__TaskInfo *)message;
    const struct resources resources = {info->resources, info->n_resources};
    const struct task_origin origin = {.framework_id = "F1", .node = 1, .resources = &resources};
    struct task_record *record = task_record_create(info, &origin);
    protobuf_c_message_free_unpacked(message, NULL);
    for (int i = 2; i <= lua_gettop(L); i++)
        add_status(L, record, i);
    Mesos__V1__Task *task = task_record_message(record);
    push_encoded(L, &task->base, put_packed);
    mesos__v1__task__free_unpacked(task, NULL);
    task_record_destroy(record);
    return 1;
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
    static const luaL_Reg functions[] = {
        {"encoded", l_encoded}, {"reread", l_reread},         {"update_event", l_update_event},
        {"copied", l_copied},   {"remembered", l_remembered}, {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
