// SPDX-License-Identifier: Apache-2.0
//
// Decoding: see message_decode.h. It walks the descriptor of the type and recurses into the types
// of its fields, at most DEPTH_LIMIT deep. It holds no memory of its own, so an error may be raised
// at any point.

#include "bindings/message/message_decode.h"

#include "bindings/message/message_hints.h"

#include <lauxlib.h>
#include <string.h>

#define DEPTH_LIMIT 64
#define STACK_NEEDED 13 // slots of one level, with those of the helpers it calls

struct decoder {
    lua_State *L;
    bool plain; // without metatables
    int only;   // position of the one field to decode at the top level, or -1
};

// One table that is being filled. On the stack: the table, the names of its type, the list that
// elements are being added to.
struct filling {
    struct decoder *decoder;
    struct message_type *shape;
    struct wire wire;
    int table;
    int depth;
    uint64_t seen;      // fields that the table has, one bit each
    int list;           // position of the field whose list is on the stack, or -1
    lua_Integer length; // of that list
};

enum { NAMES = 1, LIST = 2 }; // stack slots behind the table

static void push_message(struct decoder *decoder, struct message_type *shape, struct slice wire,
                         int depth);

static int malformed(lua_State *L, const struct message_type *shape)
{
    return luaL_error(L, "malformed %s", shape->name);
}

static int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static double as_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float as_float(uint64_t bits)
{
    uint32_t half = (uint32_t)bits;
    float value;
    memcpy(&value, &half, sizeof value);
    return value;
}

void message_decode_enum(lua_State *L, const ProtobufCEnumDescriptor *type, int number)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);
    if (value != NULL)
        lua_pushstring(L, value->name);
    else
        lua_pushinteger(L, number);
}

static void push_number(lua_State *L, const ProtobufCFieldDescriptor *field, uint64_t value)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        lua_pushinteger(L, (int32_t)value);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        lua_pushinteger(L, (uint32_t)value);
        break;
    case PROTOBUF_C_TYPE_SINT32:
        lua_pushinteger(L, unzigzag((uint32_t)value));
        break;
    case PROTOBUF_C_TYPE_SINT64:
        lua_pushinteger(L, unzigzag(value));
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        lua_pushnumber(L, (lua_Number)as_float(value));
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        lua_pushnumber(L, as_double(value));
        break;
    case PROTOBUF_C_TYPE_BOOL:
        lua_pushboolean(L, value != 0);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        message_decode_enum(L, field->descriptor, (int32_t)value);
        break;
    default:
        lua_pushinteger(L, (lua_Integer)value);
    }
}

static void push_scalar(lua_State *L, const ProtobufCFieldDescriptor *field,
                        const struct wire_field *it)
{
    if (it->type == WIRE_BYTES)
        lua_pushlstring(L, (const char *)it->bytes.data, it->bytes.length);
    else
        push_number(L, field, it->value);
}

// What a field counts as that the sender left out although the mapping has no place for nil.
static void push_default(struct decoder *decoder, struct message_type *shape, unsigned position,
                         int depth)
{
    const ProtobufCFieldDescriptor *field = &shape->type->fields[position];
    if (message_type_is_message(field))
        push_message(decoder, message_type_nested(decoder->L, shape, position),
                     (struct slice){.data = NULL}, depth + 1);
    else if (wire_type_of(field->type) == WIRE_BYTES)
        lua_pushliteral(decoder->L, "");
    else
        push_number(decoder->L, field, 0);
}

static void push_collapsed(struct decoder *decoder, struct message_type *shape,
                           struct slice message)
{
    const ProtobufCFieldDescriptor *field = shape->type->fields;
    struct wire wire = wire_open(message);
    struct wire_field it, last = {0};
    while (wire_next(&wire, &it)) {
        if (it.number == field->id)
            last = it;
    }
    if (wire.bad || (last.number != 0 && last.type != wire_type_of(field->type)))
        malformed(decoder->L, shape);
    if (last.number != 0)
        push_scalar(decoder->L, field, &last);
    else
        push_default(decoder, shape, 0, 0);
}

static void push_value(struct decoder *decoder, struct message_type *shape, unsigned position,
                       const struct wire_field *it, int depth)
{
    const ProtobufCFieldDescriptor *field = &shape->type->fields[position];
    if (it->type != wire_type_of(field->type))
        malformed(decoder->L, shape);
    if (message_type_is_message(field))
        push_message(decoder, message_type_nested(decoder->L, shape, position), it->bytes,
                     depth + 1);
    else
        push_scalar(decoder->L, field, it);
}

// How many fields of that number follow without another in between.
static int count_ahead(struct wire wire, uint32_t number)
{
    int count = 0;
    for (struct wire_field it; wire_next(&wire, &it) && it.number == number;)
        count++;
    return count;
}

static void push_name(struct filling *filling, unsigned position)
{
    lua_rawgeti(filling->decoder->L, filling->table + NAMES, (lua_Integer)position + 1);
}

// Puts the list or map of a repeated field, new or begun earlier, into the slot for it.
static void select_list(struct filling *filling, unsigned position)
{
    lua_State *L = filling->decoder->L;
    const ProtobufCFieldDescriptor *field = &filling->shape->type->fields[position];
    push_name(filling, position);
    if (lua_rawget(L, filling->table) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_createtable(L, 1 + count_ahead(filling->wire, field->id), 0);
        push_name(filling, position);
        lua_pushvalue(L, -2);
        lua_rawset(L, filling->table);
    }
    filling->length = (lua_Integer)lua_rawlen(L, -1);
    filling->list = (int)position;
    filling->seen |= UINT64_C(1) << position % 64;
    lua_replace(L, filling->table + LIST);
}

static void decode_packed(struct filling *filling, const ProtobufCFieldDescriptor *field,
                          struct slice bytes)
{
    lua_State *L = filling->decoder->L;
    struct wire packed = wire_open(bytes);
    for (uint64_t value; wire_element(&packed, wire_type_of(field->type), &value);) {
        push_number(L, field, value);
        lua_rawseti(L, filling->table + LIST, ++filling->length);
    }
    if (packed.bad)
        malformed(L, filling->shape);
}

// An entry of a map is a message on the wire: { key, value }, either of which may be left out.
static void decode_entry(struct filling *filling, unsigned position, const struct wire_field *it)
{
    lua_State *L = filling->decoder->L;
    struct message_type *entry = message_type_nested(L, filling->shape, position);
    push_value(filling->decoder, filling->shape, position, it, filling->depth);
    for (unsigned i = 0; i < 2; i++) {
        lua_pushstring(L, entry->type->fields[i].name);
        if (lua_rawget(L, -2 - (int)i) == LUA_TNIL) {
            lua_pop(L, 1);
            push_default(filling->decoder, entry, i, filling->depth + 1);
        }
    }
    lua_rawset(L, filling->table + LIST);
    lua_pop(L, 1);
}

static void decode_element(struct filling *filling, unsigned position, const struct wire_field *it)
{
    const ProtobufCFieldDescriptor *field = &filling->shape->type->fields[position];
    if (filling->list != (int)position)
        select_list(filling, position);
    if (message_type_has_map(filling->shape, position)) {
        decode_entry(filling, position, it);
    } else if (it->type == WIRE_BYTES && wire_type_of(field->type) != WIRE_BYTES) {
        decode_packed(filling, field, it->bytes);
    } else {
        push_value(filling->decoder, filling->shape, position, it, filling->depth);
        lua_rawseti(filling->decoder->L, filling->table + LIST, ++filling->length);
    }
}

static void clear_rivals(struct filling *filling, const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *type = filling->shape->type;
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (!message_type_same_oneof(field, &type->fields[i]))
            continue;
        push_name(filling, i);
        lua_pushnil(filling->decoder->L);
        lua_rawset(filling->decoder->L, filling->table);
    }
}

static void decode_single(struct filling *filling, unsigned position, const struct wire_field *it)
{
    const ProtobufCFieldDescriptor *field = &filling->shape->type->fields[position];
    push_name(filling, position);
    push_value(filling->decoder, filling->shape, position, it, filling->depth);
    lua_rawset(filling->decoder->L, filling->table);
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        clear_rivals(filling, field);
    filling->seen |= UINT64_C(1) << position % 64;
}

static void decode_field(struct filling *filling, const struct wire_field *it)
{
    const ProtobufCMessageDescriptor *type = filling->shape->type;
    const ProtobufCFieldDescriptor *field = wire_descriptor(type, it->number);
    if (field == NULL)
        return;
    unsigned position = (unsigned)(field - type->fields);
    if (filling->depth == 1 && filling->decoder->only >= 0 &&
        filling->decoder->only != (int)position)
        return;
    if (message_type_is_repeated(field))
        decode_element(filling, position, it);
    else
        decode_single(filling, position, it);
}

// Adds the fields of filling->wire to the table at the top of the stack, above which there is room
// for a level. // [-0, +0, e]
static void fill(struct filling *filling)
{
    lua_State *L = filling->decoder->L;
    if (filling->depth > DEPTH_LIMIT)
        luaL_error(L, "%s is nested too deeply (more than %d)", filling->shape->name, DEPTH_LIMIT);
    filling->list = -1;
    lua_rawgeti(L, LUA_REGISTRYINDEX, filling->shape->names);
    lua_pushnil(L);
    for (struct wire_field it; wire_next(&filling->wire, &it);)
        decode_field(filling, &it);
    if (filling->wire.bad)
        malformed(L, filling->shape);
    lua_settop(L, filling->table);
}

static unsigned count_bits(uint64_t bits)
{
    return (unsigned)__builtin_popcountll(bits);
}

static void push_table(struct decoder *decoder, struct message_type *shape, struct slice wire,
                       int depth)
{
    lua_State *L = decoder->L;
    luaL_checkstack(L, STACK_NEEDED, "nested message");
    lua_createtable(L, 0, (int)shape->hint);
    struct filling filling = {.decoder = decoder,
                              .shape = shape,
                              .wire = wire_open(wire),
                              .table = lua_gettop(L),
                              .depth = depth};
    fill(&filling);
    shape->hint = count_bits(filling.seen);
    if (decoder->plain)
        return;
    lua_rawgeti(L, LUA_REGISTRYINDEX, shape->metatable);
    lua_setmetatable(L, -2);
}

static void push_message(struct decoder *decoder, struct message_type *shape, struct slice wire,
                         int depth)
{
    if (shape->collapsed)
        push_collapsed(decoder, shape, wire);
    else
        push_table(decoder, shape, wire, depth);
}

void message_decode(lua_State *L, const ProtobufCMessageDescriptor *type, struct slice wire)
{
    struct decoder decoder = {.L = L, .only = -1};
    push_message(&decoder, message_type_get(L, type), wire, 1);
}

void message_decode_plain(lua_State *L, const ProtobufCMessageDescriptor *type, struct slice wire)
{
    struct decoder decoder = {.L = L, .plain = true, .only = -1};
    push_message(&decoder, message_type_get(L, type), wire, 1);
}

void message_decode_field(lua_State *L, struct message_type *shape, unsigned position,
                          struct slice wire)
{
    struct decoder decoder = {.L = L, .only = (int)position};
    luaL_checkstack(L, STACK_NEEDED, "message field");
    lua_createtable(L, 0, 1);
    struct filling filling = {.decoder = &decoder,
                              .shape = shape,
                              .wire = wire_open(wire),
                              .table = lua_gettop(L),
                              .depth = 1};
    fill(&filling);
    lua_pushstring(L, shape->type->fields[position].name);
    lua_rawget(L, -2);
    lua_replace(L, -2);
}

void message_decode_occurrence(lua_State *L, struct message_type *shape, unsigned position,
                               const struct wire_field *occurrence)
{
    struct decoder decoder = {.L = L, .only = -1};
    push_value(&decoder, shape, position, occurrence, 1);
}
