// SPDX-License-Identifier: Apache-2.0
//
// protobuf-c as the oracle: see protobufc_oracle.h. The comparison follows the contract of messages
// in Lua by reflection over the descriptors, and shares nothing with the codec but that contract.

#include "protobufc_oracle.h"

#include "reference_decoder.h"

#include "base/memory.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#define UNPACKED "internals.unpacked"

// ---- is it well-formed? ----

static bool well_formed(struct slice message, const ProtobufCMessageDescriptor *type,
                        struct unpacked_form *form);

static bool packed_is_well_formed(struct slice values, unsigned wire_type)
{
    uint64_t value;
    if (wire_type != FIELD_VARINT)
        return values.length % (wire_type == FIELD_EIGHT ? 8 : 4) == 0;
    while (values.length > 0)
        if (!field_varint(&values, &value))
            return false;
    return true;
}

static bool value_is_well_formed(const struct field *field,
                                 const ProtobufCFieldDescriptor *descriptor,
                                 struct unpacked_form *form)
{
    unsigned expected = field_wire_type(descriptor->type);
    if (descriptor->label == PROTOBUF_C_LABEL_REPEATED && field->type == FIELD_BYTES &&
        expected != FIELD_BYTES)
        return packed_is_well_formed(field->value, expected);
    form->overlooked = field->type != expected && descriptor->type == PROTOBUF_C_TYPE_BOOL;
    if (field->type != expected)
        return false;
    return descriptor->type != PROTOBUF_C_TYPE_MESSAGE ||
           well_formed(field->value, descriptor->descriptor, form);
}

static bool well_formed(struct slice message, const ProtobufCMessageDescriptor *type,
                        struct unpacked_form *form)
{
    struct field field;
    while (message.length > 0) {
        if (!field_next(&message, &field)) {
            form->overlooked = field.number == 0 || field.number >= 1u << 29;
            return false;
        }
        form->stretched = form->stretched || field.stretched;
        const ProtobufCFieldDescriptor *descriptor = field_descriptor(type, field.number);
        if (descriptor != NULL && !value_is_well_formed(&field, descriptor, form))
            return false;
    }
    return true;
}

// ---- the plain form ----

// Of each field that occurs once at most: its last value, or what its messages add up to.
struct pile {
    struct buffer value;
    bool found;
};

static void write_plain(struct slice message, const ProtobufCMessageDescriptor *type,
                        struct buffer *out, struct unpacked_form *form);

static void drop_rivals(struct pile *piles, const ProtobufCMessageDescriptor *type, size_t position)
{
    const ProtobufCFieldDescriptor *field = &type->fields[position];
    for (size_t i = 0; i < type->n_fields && field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF; i++) {
        if (i == position || !(type->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) ||
            type->fields[i].quantifier_offset != field->quantifier_offset)
            continue;
        buffer_clear(&piles[i].value);
        piles[i].found = false;
    }
}

static void pile_up(struct pile *piles, const ProtobufCMessageDescriptor *type,
                    const struct field *field, size_t position, struct unpacked_form *form)
{
    struct pile *pile = &piles[position];
    bool message = type->fields[position].type == PROTOBUF_C_TYPE_MESSAGE;
    form->merged = form->merged || (pile->found && message);
    if (!message)
        buffer_clear(&pile->value);
    buffer_append_slice(&pile->value, field->value);
    pile->found = true;
    drop_rivals(piles, type, position);
}

static void write_value(struct buffer *out, const ProtobufCFieldDescriptor *descriptor,
                        unsigned wire_type, struct slice value, struct unpacked_form *form)
{
    struct buffer nested;
    uint64_t number;
    buffer_init(&nested, SIZE_MAX);
    if (descriptor->type == PROTOBUF_C_TYPE_MESSAGE) {
        write_plain(value, descriptor->descriptor, &nested, form);
        field_put_bytes(out, descriptor->id, buffer_slice(&nested));
    } else if (wire_type == FIELD_BYTES) {
        field_put_bytes(out, descriptor->id, value);
    } else if (wire_type == FIELD_VARINT && field_varint(&value, &number)) {
        field_put_tag(out, descriptor->id, wire_type);
        field_put_varint(out, number);
    } else {
        field_put_tag(out, descriptor->id, wire_type);
        buffer_append_slice(out, value);
    }
    buffer_free(&nested);
}

static void write_plain(struct slice message, const ProtobufCMessageDescriptor *type,
                        struct buffer *out, struct unpacked_form *form)
{
    struct pile *piles = memory_new((type->n_fields + 1) * sizeof *piles);
    for (size_t i = 0; i < type->n_fields; i++)
        buffer_init(&piles[i].value, SIZE_MAX);
    for (struct field field; message.length > 0 && field_next(&message, &field);) {
        const ProtobufCFieldDescriptor *descriptor = field_descriptor(type, field.number);
        if (descriptor == NULL)
            continue;
        if (descriptor->label == PROTOBUF_C_LABEL_REPEATED)
            write_value(out, descriptor, field.type, field.value, form);
        else
            pile_up(piles, type, &field, (size_t)(descriptor - type->fields), form);
    }
    for (size_t i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *descriptor = &type->fields[i];
        form->overlooked = form->overlooked || (descriptor->label == PROTOBUF_C_LABEL_REQUIRED &&
                                                descriptor->default_value && !piles[i].found);
        if (piles[i].found)
            write_value(out, descriptor, field_wire_type(descriptor->type),
                        buffer_slice(&piles[i].value), form);
        buffer_free(&piles[i].value);
    }
    free(piles);
}

bool unpacked_plain_form(struct slice message, const ProtobufCMessageDescriptor *type,
                         struct buffer *out, struct unpacked_form *form)
{
    *form = (struct unpacked_form){.merged = false};
    if (!well_formed(message, type, form))
        return false;
    write_plain(message, type, out, form);
    return !form->overlooked;
}

// ---- unpacking ----

static int l_unpacked_gc(lua_State *L)
{
    ProtobufCMessage **message = lua_touserdata(L, 1);
    if (*message != NULL)
        protobuf_c_message_free_unpacked(*message, NULL);
    *message = NULL;
    return 0;
}

const ProtobufCMessage *unpacked_push(lua_State *L, const ProtobufCMessageDescriptor *type,
                                      struct slice message)
{
    ProtobufCMessage **owner = lua_newuserdatauv(L, sizeof *owner, 0);
    *owner = NULL;
    if (luaL_newmetatable(L, UNPACKED)) {
        lua_pushcfunction(L, l_unpacked_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    *owner = protobuf_c_message_unpack(type, NULL, message.length, message.data);
    if (*owner != NULL)
        return *owner;
    lua_pop(L, 1);
    lua_pushnil(L);
    return NULL;
}

// ---- comparing ----

// What is compared lies at `index`, and its path behind it.
static int differ(lua_State *L, int index, const char *expected)
{
    return luaL_error(L, "%s: protobuf-c has %s, but here is %s", lua_tostring(L, index + 1),
                      expected, luaL_tolstring(L, index, NULL));
}

static void compare_integer(lua_State *L, int index, int64_t value)
{
    if (!lua_isinteger(L, index) || lua_tointeger(L, index) != value)
        differ(L, index, lua_pushfstring(L, "%I", (lua_Integer)value));
}

static void compare_double(lua_State *L, int index, double value)
{
    double found = lua_tonumber(L, index);
    bool both_nan = found != found && value != value;
    if (lua_type(L, index) != LUA_TNUMBER || lua_isinteger(L, index) ||
        (!both_nan && memcmp(&found, &value, sizeof value) != 0))
        differ(L, index, lua_pushfstring(L, "%f", value));
}

static void compare_enum(lua_State *L, int index, const ProtobufCEnumDescriptor *type, int number)
{
    for (unsigned i = 0; i < type->n_values; i++) {
        if (type->values[i].value != number)
            continue;
        if (lua_type(L, index) != LUA_TSTRING ||
            strcmp(lua_tostring(L, index), type->values[i].name) != 0)
            differ(L, index, type->values[i].name);
        return;
    }
    compare_integer(L, index, number);
}

// protobuf-c has strings that end at a zero byte; ours go on behind it.
static void compare_string(lua_State *L, int index, const char *text)
{
    size_t length;
    const char *found = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &length) : NULL;
    if (found == NULL || strcmp(found, text) != 0)
        differ(L, index, text);
}

static void compare_bytes(lua_State *L, int index, const ProtobufCBinaryData *bytes)
{
    size_t length;
    const char *found = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &length) : NULL;
    if (found == NULL || length != bytes->len ||
        (length > 0 && memcmp(found, bytes->data, length) != 0))
        differ(L, index, "other bytes");
}

// The only field of the message, if it stands for the message.
static const ProtobufCFieldDescriptor *only_value(const ProtobufCMessageDescriptor *type)
{
    const ProtobufCFieldDescriptor *field = type->fields;
    return type->n_fields == 1 && strcmp(field->name, "value") == 0 &&
                   field->label != PROTOBUF_C_LABEL_REPEATED &&
                   field->type != PROTOBUF_C_TYPE_MESSAGE
               ? field
               : NULL;
}

static void compare_value(lua_State *L, int index, const ProtobufCFieldDescriptor *field,
                          const void *value);
static void compare_fields(lua_State *L, int index, const ProtobufCMessage *message);

static void compare_message(lua_State *L, int index, const ProtobufCMessage *message)
{
    const ProtobufCFieldDescriptor *value = only_value(message->descriptor);
    if (value == NULL)
        compare_fields(L, index, message);
    else
        compare_value(L, index, value, (const char *)message + value->offset);
}

static void compare_value(lua_State *L, int index, const ProtobufCFieldDescriptor *field,
                          const void *value)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        compare_integer(L, index, *(const int32_t *)value);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        compare_integer(L, index, *(const uint32_t *)value);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        compare_double(L, index, (double)*(const float *)value);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        compare_double(L, index, *(const double *)value);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        if (!lua_isboolean(L, index) ||
            lua_toboolean(L, index) != *(const protobuf_c_boolean *)value)
            differ(L, index, "another boolean");
        break;
    case PROTOBUF_C_TYPE_ENUM:
        compare_enum(L, index, field->descriptor, *(const int *)value);
        break;
    case PROTOBUF_C_TYPE_STRING:
        compare_string(L, index, *(const char *const *)value);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        compare_bytes(L, index, value);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        compare_message(L, index, *(const ProtobufCMessage *const *)value);
        break;
    default:
        compare_integer(L, index, *(const int64_t *)value);
    }
}

static size_t element_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    default:
        return 4;
    }
}

// An absent list reads as an empty one, or in a plain table as nil.
static void compare_list(lua_State *L, int index, const ProtobufCFieldDescriptor *field,
                         const void *list, size_t count)
{
    int path = index + 1;
    if (lua_isnil(L, index) && count == 0)
        return;
    if (!lua_istable(L, index) || lua_rawlen(L, index) != count)
        differ(L, index, lua_pushfstring(L, "a list of %d", (int)count));
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        lua_pushfstring(L, "%s[%d]", lua_tostring(L, path), (int)i + 1);
        compare_value(L, path + 1, field, (const char *)list + i * element_size(field->type));
        lua_settop(L, path);
    }
}

// ---- maps: lists of entries in protobuf-c, of which the last of a key counts ----

static bool is_map(const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    size_t length = field->type == PROTOBUF_C_TYPE_MESSAGE ? strlen(entry->short_name) : 0;
    return length > 5 && strcmp(entry->short_name + length - 5, "Entry") == 0 &&
           entry->n_fields == 2 && entry->fields[0].type == PROTOBUF_C_TYPE_STRING;
}

static const char *key_of(const ProtobufCMessage *entry)
{
    const ProtobufCFieldDescriptor *field = &entry->descriptor->fields[0];
    const char *key = *(const char *const *)((const char *)entry + field->offset);
    return key != NULL ? key : "";
}

// Replaces the map at the top of the stack by its value for that key; false if there is none, or if
// several keys are the same up to a zero byte. // [-1, +1, -]
static bool take_value_of(lua_State *L, const char *key)
{
    int map = lua_gettop(L), found = 0;
    lua_pushnil(L);
    for (lua_pushnil(L); lua_next(L, map); lua_pop(L, 1)) {
        if (strcmp(lua_tostring(L, -2), key) != 0)
            continue;
        lua_copy(L, -1, map + 1);
        found++;
    }
    lua_replace(L, map);
    return found == 1;
}

static bool comes_again(const ProtobufCMessage *const *entries, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (strcmp(key_of(entries[0]), key_of(entries[i])) == 0)
            return true;
    return false;
}

static bool is_present(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

static void compare_map(lua_State *L, int index, const ProtobufCMessage *const *entries,
                        size_t count)
{
    int path = index + 1;
    if (count > 0 && !lua_istable(L, index))
        differ(L, index, "a map");
    for (size_t i = 0; i < count; i++) {
        if (comes_again(entries + i, count - i))
            continue;
        const ProtobufCFieldDescriptor *field = &entries[i]->descriptor->fields[1];
        lua_pushvalue(L, index);
        bool found = take_value_of(L, key_of(entries[i]));
        lua_pushfstring(L, "%s[\"%s\"]", lua_tostring(L, path), key_of(entries[i]));
        if (found && is_present(entries[i], field))
            compare_value(L, path + 1, field, (const char *)entries[i] + field->offset);
        else if (lua_isnil(L, path + 1))
            differ(L, path + 1, "a value");
        lua_settop(L, path);
    }
}

static bool is_present(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const char *base = (const char *)message;
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *(const uint32_t *)(base + field->quantifier_offset) == field->id;
    if (field->label == PROTOBUF_C_LABEL_REQUIRED)
        return true;
    if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE) {
        const void *value = *(const void *const *)(base + field->offset);
        return value != NULL && value != field->default_value;
    }
    return *(const protobuf_c_boolean *)(base + field->quantifier_offset);
}

static void compare_field(lua_State *L, int index, const ProtobufCMessage *message,
                          const ProtobufCFieldDescriptor *field)
{
    const char *value = (const char *)message + field->offset;
    const size_t *count = (const size_t *)((const char *)message + field->quantifier_offset);
    if (field->label == PROTOBUF_C_LABEL_REPEATED && is_map(field))
        compare_map(L, index, *(const ProtobufCMessage *const *const *)value, *count);
    else if (field->label == PROTOBUF_C_LABEL_REPEATED)
        compare_list(L, index, field, *(const void *const *)value, *count);
    else if (is_present(message, field))
        compare_value(L, index, field, value);
    else if (!lua_isnil(L, index))
        differ(L, index, "nothing");
}

static void compare_fields(lua_State *L, int index, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    int path = lua_gettop(L);
    luaL_checkstack(L, 16, "nested message");
    for (unsigned i = 0; i < type->n_fields; i++) {
        lua_getfield(L, index, type->fields[i].name);
        lua_pushfstring(L, "%s.%s", lua_tostring(L, path), type->fields[i].name);
        compare_field(L, path + 1, message, &type->fields[i]);
        lua_settop(L, path);
    }
}

void unpacked_compare(lua_State *L, int index, const ProtobufCMessage *message)
{
    index = lua_absindex(L, index);
    lua_pushstring(L, message->descriptor->short_name);
    compare_fields(L, index, message);
    lua_pop(L, 1);
}
