// SPDX-License-Identifier: Apache-2.0
//
// View, table and protobuf-c side by side: see differential.h. Both accept the same messages, but
// for what protobuf-c does on its own: it refuses tags and lengths of more than 5 bytes, asks each
// part of a message that comes in several parts for its required fields, and overlooks field
// numbers that cannot be and values of a bool that are none. That is why it is given a plain form
// of the message.

#include "differential.h"

#include "protobufc_oracle.h"

#include "bindings/core/scratch.h"
#include "bindings/message/message_decode.h"
#include "bindings/message/view.h"
#include "mesos/events.h"
#include "mesos/v1/scheduler/scheduler.pb-c.h"
#include "wire/wire.h"
#include "wire/wire_accept.h"

#include <lauxlib.h>
#include <string.h>

#define EVENT (&mesos__v1__scheduler__event__descriptor)

struct comparison {
    int oracle; // index of the function
    const ProtobufCMessageDescriptor *type;
    struct slice message;
    struct unpacked_form form;
    const ProtobufCMessage *unpacked; // of the plain form; NULL if that is refused
    bool valid;
    struct bytes *block; // as it was accepted
};

// ---- blocks ----

static int l_block_gc(lua_State *L)
{
    bytes_unref(*(struct bytes **)lua_touserdata(L, 1));
    return 0;
}

// A block of `before` bytes, the message, and `behind` bytes, that the value pushed owns.
// [-0, +1, m]
static struct bytes **push_block(lua_State *L, struct slice message, size_t before, size_t behind)
{
    struct bytes **block = lua_newuserdatauv(L, sizeof *block, 0);
    *block = NULL;
    if (luaL_newmetatable(L, "internals.block")) {
        lua_pushcfunction(L, l_block_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    *block = bytes_create(before + message.length + behind);
    memset((*block)->data, 0xff, (*block)->length);
    if (message.length > 0)
        memcpy((*block)->data + before, message.data, message.length);
    return block;
}

// ---- who takes it? ----

// Pushes what protobuf-c made of the plain form. // [-0, +1, e]
static bool unpack(lua_State *L, struct comparison *it)
{
    struct buffer *plain = scratch_push(L);
    bool whole = unpacked_plain_form(it->message, it->type, plain, &it->form);
    if (whole)
        it->unpacked = unpacked_push(L, it->type, buffer_slice(plain));
    else
        lua_pushnil(L);
    lua_replace(L, -2);
    return whole;
}

// The plain form is what our own test makes of the message, and is checked against the original.
static void check_plain_form(lua_State *L, const struct comparison *it, bool whole)
{
    const ProtobufCMessage *original = unpacked_push(L, it->type, it->message);
    if (whole && !it->form.merged && !it->form.stretched &&
        (original != NULL) != (it->unpacked != NULL))
        luaL_error(L, "protobuf-c sees the plain form of this %s in another way",
                   it->type->short_name);
    if (!whole && original != NULL && !it->form.overlooked)
        luaL_error(L, "protobuf-c takes a %s that has no plain form", it->type->short_name);
    lua_pop(L, 1);
}

// Pushes the owner of the block that was accepted. // [-0, +1, v]
static void check_validation(lua_State *L, struct comparison *it)
{
    struct error err = {.code = ERROR_NONE};
    struct bytes **block = push_block(L, it->message, 0, 0);
    it->valid = wire_accept(block, it->type, &err);
    if (it->valid && !wire_accept_as_is(it->message, it->type, &err))
        luaL_error(L, "%s is taken as a record only", it->type->short_name);
    if (!it->valid && err.text[0] == '\0')
        luaL_error(L, "%s is refused without a word", it->type->short_name);
    if (!it->valid && it->unpacked != NULL)
        luaL_error(L, "%s is refused, but protobuf-c takes it: %s", it->type->short_name, err.text);
    if (it->valid && it->unpacked == NULL)
        luaL_error(L, "protobuf-c refuses a %s that is taken", it->type->short_name);
    it->block = *block;
}

// ---- what is in it? ----

// [-0, +1, e]
static void push_fields(lua_State *L, const ProtobufCMessageDescriptor *type)
{
    lua_createtable(L, (int)type->n_fields, 1);
    for (unsigned i = 0; i < type->n_fields; i++) {
        lua_pushstring(L, type->fields[i].name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_pushboolean(L, type == &mesos__v1__offer__descriptor);
    lua_setfield(L, -2, "offer");
}

// The view at the top of the stack, against the table of the same bytes and what protobuf-c has of
// it. // [-1, +0, v]
static void compare_view(lua_State *L, const struct comparison *it,
                         const ProtobufCMessage *unpacked)
{
    struct view_content content;
    int view = lua_gettop(L);
    if (!view_get(L, view, &content))
        luaL_error(L, "there is no view");
    message_decode_plain(L, content.type, content.slice);
    unpacked_compare(L, -1, unpacked);
    unpacked_compare(L, view, unpacked);
    lua_pushvalue(L, it->oracle);
    lua_pushvalue(L, view);
    message_decode(L, content.type, content.slice);
    push_fields(L, content.type);
    lua_call(L, 3, 0);
    lua_settop(L, view - 1);
}

// A view of the whole block, and one over a part of a block, which is never copied.
static void compare_views(lua_State *L, const struct comparison *it)
{
    size_t length = it->block->length;
    view_push(L, it->type, it->block, slice_of(it->block));
    compare_view(L, it, it->unpacked);
    struct bytes *large = *push_block(L, slice_of(it->block), length + 3, length + 1);
    view_push(L, it->type, large, (struct slice){large->data + length + 3, length});
    compare_view(L, it, it->unpacked);
    lua_pop(L, 1);
}

static void compare_table(lua_State *L, const struct comparison *it)
{
    message_decode_plain(L, it->type, slice_of(it->block));
    unpacked_compare(L, -1, it->unpacked);
    lua_pop(L, 1);
}

// ---- events ----

static size_t count_offers(struct slice list)
{
    size_t count = 0;
    for (struct slice offer; events_next_offer(&list, &offer);)
        count++;
    return count;
}

static void compare_offers(lua_State *L, const struct comparison *it, struct slice list,
                           const ProtobufCMessageDescriptor *type, size_t count,
                           ProtobufCMessage **unpacked)
{
    size_t found = count_offers(list);
    if (found != count)
        luaL_error(L, "protobuf-c has %d offers, but here are %d", (int)count, (int)found);
    struct slice *slices = lua_newuserdatauv(L, (found + 1) * sizeof *slices, 0);
    for (size_t i = 0; i < found; i++)
        events_next_offer(&list, &slices[i]);
    view_push_list(L, type, it->block, slices, found);
    for (size_t i = 0; i < found; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        compare_view(L, it, unpacked[i]);
    }
    lua_pop(L, 2);
}

static void compare_callback(lua_State *L, const struct comparison *it,
                             const struct driver_event *event)
{
    const Mesos__V1__Scheduler__Event *unpacked = (const void *)it->unpacked;
    if (event->callback == CALLBACK_RESOURCE_OFFERS)
        compare_offers(L, it, event->message, &mesos__v1__offer__descriptor,
                       unpacked->offers->n_offers, (ProtobufCMessage **)unpacked->offers->offers);
    if (event->callback == CALLBACK_INVERSE_OFFERS)
        compare_offers(L, it, event->message, &mesos__v1__inverse_offer__descriptor,
                       unpacked->inverse_offers->n_inverse_offers,
                       (ProtobufCMessage **)unpacked->inverse_offers->inverse_offers);
    if (event->callback != CALLBACK_STATUS_UPDATE)
        return;
    view_push(L, &mesos__v1__task_status__descriptor, it->block, event->message);
    compare_view(L, it, &unpacked->update->status->base);
}

static void compare_event(lua_State *L, const struct comparison *it)
{
    struct driver_event event;
    int32_t type = MESOS__V1__SCHEDULER__EVENT__TYPE__UNKNOWN;
    wire_find_enum(it->message, 1, &type);
    if (events_read(it->block, type, &event) == EVENT_CALLBACK)
        compare_callback(L, it, &event);
}

bool differential_check(lua_State *L, int oracle, const ProtobufCMessageDescriptor *type,
                        struct slice message)
{
    struct comparison it = {.oracle = oracle, .type = type, .message = message};
    int top = lua_gettop(L);
    luaL_checkstack(L, 20, "differential");
    check_plain_form(L, &it, unpack(L, &it));
    check_validation(L, &it);
    if (it.valid)
        compare_table(L, &it);
    if (it.valid && type == EVENT)
        compare_event(L, &it);
    else if (it.valid)
        compare_views(L, &it);
    lua_settop(L, top);
    return it.valid;
}
