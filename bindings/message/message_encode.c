// SPDX-License-Identifier: Apache-2.0
//
// Encoding: see message_encode.h. It walks the descriptor of the type and recurses into the types
// of its fields, at most DEPTH_LIMIT deep. It appends to a buffer that its caller anchored, so an
// error may be raised at any point.

#include "bindings/message/message_encode.h"

#include "base/suggest.h"
#include "bindings/core/hints.h"
#include "bindings/core/scratch.h"
#include "bindings/message/message_hints.h"
#include "bindings/message/message_tostring.h"
#include "bindings/message/view.h"
#include "wire/wire.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <string.h>

#define DEPTH_LIMIT 64
#define STACK_NEEDED 13 // slots of one level, with those of the helpers it calls

// The path to the current value: a chain on the C stack, written out when something is wrong.
struct encode_path {
    const struct encode_path *up;
    const char *name;  // of a field or of the whole, or NULL
    lua_Integer index; // of a list's element, if there is no name
    int key;           // stack index of a map's key, or 0
};

struct encoder {
    lua_State *L;
    struct buffer *buffer;
    int depth;
    bool ends_at_zero; // texts that have a zero byte are refused
};

static void encode_message(struct encoder *encoder, int index, struct message_type *shape,
                           uint32_t number, const struct encode_path *path);
static void encode_content(struct encoder *encoder, int index, struct message_type *shape,
                           const struct encode_path *path);

// Pushes "tasks[2].resources[1].scalar", or "" for a whole without a name. Its parts do
// not stay below it, so the Lua stack does not grow with the depth of the path. // [-0, +1, m]
static const char *push_path(lua_State *L, const struct encode_path *path)
{
    luaL_checkstack(L, STACK_NEEDED, "nested message");
    if (path->up == NULL)
        return lua_pushstring(L, path->name ? path->name : "");
    const char *up = push_path(L, path->up);
    int at = lua_gettop(L);
    if (path->key != 0)
        lua_pushfstring(L, "%s[%s]", up, luaL_tolstring(L, path->key, NULL));
    else if (path->name != NULL)
        lua_pushfstring(L, "%s%s%s", up, *up ? "." : "", path->name);
    else
        lua_pushfstring(L, "%s[%I]", up, path->index);
    lua_replace(L, at);
    lua_settop(L, at);
    return lua_tostring(L, at);
}

static int fail(lua_State *L, const struct encode_path *path, const char *format, ...)
{
    va_list args;
    luaL_checkstack(L, STACK_NEEDED, "message error");
    va_start(args, format);
    const char *text = lua_pushvfstring(L, format, args);
    va_end(args);
    const char *shown = push_path(L, path);
    return luaL_error(L, "%s%s%s", shown, *shown ? ": " : "", text);
}

// `fitted` is the result of an append to the buffer: false at its cap.
static void check_fit(struct encoder *encoder, bool fitted, const struct encode_path *path)
{
    if (!fitted)
        fail(encoder->L, path, "the message is larger than the %I bytes allowed",
             (lua_Integer)encoder->buffer->limit);
}

static const char *type_name(lua_State *L, int index)
{
    return luaL_typename(L, index);
}

// A table of another message type and a view are named by their type.
static int expected(lua_State *L, int index, const struct encode_path *path, const char *what)
{
    struct view_content view;
    if (view_get(L, index, &view))
        return fail(L, path, "%s expected, got %s", what, wire_message_name(view.type));
    return fail(L, path, "%s expected, got %s", what, type_name(L, index));
}

static double number_at(struct encoder *encoder, int index, const struct encode_path *path)
{
    if (lua_type(encoder->L, index) != LUA_TNUMBER)
        expected(encoder->L, index, path, "number");
    return lua_tonumber(encoder->L, index);
}

struct number_limits {
    ProtobufCType type;
    lua_Integer least, most;
};

static const struct number_limits limits[] = {
    {PROTOBUF_C_TYPE_INT32, INT32_MIN, INT32_MAX}, {PROTOBUF_C_TYPE_SINT32, INT32_MIN, INT32_MAX},
    {PROTOBUF_C_TYPE_ENUM, INT32_MIN, INT32_MAX},  {PROTOBUF_C_TYPE_SFIXED32, INT32_MIN, INT32_MAX},
    {PROTOBUF_C_TYPE_UINT32, 0, UINT32_MAX},       {PROTOBUF_C_TYPE_FIXED32, 0, UINT32_MAX},
};

static void check_limits(struct encoder *encoder, lua_Integer value, ProtobufCType type,
                         const struct encode_path *path)
{
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (limits[i].type == type && (value < limits[i].least || value > limits[i].most))
            fail(encoder->L, path, "number from %I to %I expected, got %I", limits[i].least,
                 limits[i].most, value);
    }
}

static lua_Integer integer_at(struct encoder *encoder, int index, ProtobufCType type,
                              const struct encode_path *path)
{
    int whole;
    number_at(encoder, index, path);
    lua_Integer value = lua_tointegerx(encoder->L, index, &whole);
    if (!whole)
        fail(encoder->L, path, "whole number of at most 64 bits expected, got %s",
             luaL_tolstring(encoder->L, index, NULL));
    check_limits(encoder, value, type, path);
    return value;
}

static bool boolean_at(struct encoder *encoder, int index, const struct encode_path *path)
{
    if (!lua_isboolean(encoder->L, index))
        expected(encoder->L, index, path, "boolean");
    return lua_toboolean(encoder->L, index);
}

static struct slice string_at(struct encoder *encoder, int index, const struct encode_path *path)
{
    struct slice text;
    if (lua_type(encoder->L, index) != LUA_TSTRING)
        expected(encoder->L, index, path, "string");
    text.data = (const uint8_t *)lua_tolstring(encoder->L, index, &text.length);
    return text;
}

static struct slice text_at(struct encoder *encoder, int index, const struct encode_path *path)
{
    struct slice text = string_at(encoder, index, path);
    if (encoder->ends_at_zero && text.length > 0 && memchr(text.data, 0, text.length) != NULL)
        fail(encoder->L, path, "it has a zero byte in it");
    return text;
}

static const char *enum_type_name(const ProtobufCEnumDescriptor *type)
{
    size_t length = strlen(type->package_name);
    return length ? type->name + length + 1 : type->name;
}

static int unknown_value(struct encoder *encoder, const ProtobufCEnumDescriptor *type,
                         const char *name, const struct encode_path *path)
{
    const char *nearest = suggest(name, message_type_enum_name, type);
    if (nearest == NULL)
        return fail(encoder->L, path, "%s has no value '%s'", enum_type_name(type), name);
    return fail(encoder->L, path, "%s has no value '%s' (did you mean '%s'?)", enum_type_name(type),
                name, nearest);
}

static lua_Integer enum_at(struct encoder *encoder, int index, const ProtobufCEnumDescriptor *type,
                           const struct encode_path *path)
{
    if (lua_type(encoder->L, index) == LUA_TNUMBER)
        return integer_at(encoder, index, PROTOBUF_C_TYPE_ENUM, path);
    if (lua_type(encoder->L, index) != LUA_TSTRING)
        expected(encoder->L, index, path, enum_type_name(type));
    size_t length;
    const char *name = lua_tolstring(encoder->L, index, &length);
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value_by_name(type, name);
    if (value == NULL || strlen(name) != length)
        unknown_value(encoder, type, name, path);
    return value->value;
}

static uint64_t zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static uint32_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static bool put_integer(struct encoder *encoder, const ProtobufCFieldDescriptor *field,
                        lua_Integer value)
{
    uint64_t bits = (uint64_t)value;
    if (wire_type_of(field->type) == WIRE_FIXED64)
        return wire_put_fixed64(encoder->buffer, field->id, bits);
    if (wire_type_of(field->type) == WIRE_FIXED32)
        return wire_put_fixed32(encoder->buffer, field->id, (uint32_t)bits);
    if (field->type == PROTOBUF_C_TYPE_SINT32 || field->type == PROTOBUF_C_TYPE_SINT64)
        bits = zigzag(value);
    return wire_put_varint(encoder->buffer, field->id, bits);
}

static bool put_scalar(struct encoder *encoder, int index, const ProtobufCFieldDescriptor *field,
                       const struct encode_path *path)
{
    struct buffer *buffer = encoder->buffer;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return wire_put_bytes(buffer, field->id, text_at(encoder, index, path));
    case PROTOBUF_C_TYPE_BYTES:
        return wire_put_bytes(buffer, field->id, string_at(encoder, index, path));
    case PROTOBUF_C_TYPE_DOUBLE:
        return wire_put_double(buffer, field->id, number_at(encoder, index, path));
    case PROTOBUF_C_TYPE_FLOAT:
        return wire_put_fixed32(buffer, field->id,
                                float_bits((float)number_at(encoder, index, path)));
    case PROTOBUF_C_TYPE_BOOL:
        return wire_put_varint(buffer, field->id, boolean_at(encoder, index, path));
    case PROTOBUF_C_TYPE_ENUM:
        return put_integer(encoder, field, enum_at(encoder, index, field->descriptor, path));
    default:
        return put_integer(encoder, field, integer_at(encoder, index, field->type, path));
    }
}

// One value of the field, whatever its label.
static void encode_value(struct encoder *encoder, int index, struct message_type *shape,
                         unsigned position, const struct encode_path *path)
{
    const ProtobufCFieldDescriptor *field = &shape->type->fields[position];
    if (message_type_is_message(field))
        encode_message(encoder, index, message_type_nested(encoder->L, shape, position), field->id,
                       path);
    else
        check_fit(encoder, put_scalar(encoder, index, field, path), path);
}

// Raises for the key at the top but one of what should be a list. // [-0, +0, v]
static int refuse_key(struct encoder *encoder, const struct encode_path *path,
                      const ProtobufCMessageDescriptor *element)
{
    lua_State *L = encoder->L;
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
    const char *shown = luaL_tolstring(L, -2, NULL);
    return fail(L, path, "list expected, got a table with the key '%s'%s", shown,
                message_hints_list(L, element, key));
}

// The length of the list at `index`, which must have the keys 1 to n and no others. Its elements
// are of the type `element`, or no messages (NULL).
static lua_Integer check_list(struct encoder *encoder, int index, const struct encode_path *path,
                              const ProtobufCMessageDescriptor *element)
{
    lua_State *L = encoder->L;
    lua_Integer count = 0, most = 0;
    if (!lua_istable(L, index))
        expected(L, index, path, "list");
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1), count++) {
        lua_Integer key = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
        if (key < 1)
            refuse_key(encoder, path, element);
        most = key > most ? key : most;
    }
    for (lua_Integer i = 1; most > count && i <= most; i++) {
        if (lua_rawgeti(L, index, i) == LUA_TNIL)
            fail(L, path, "list with a hole: element %I is nil, but there is a %I", i, most);
        lua_pop(L, 1);
    }
    return count;
}

static void encode_list(struct encoder *encoder, int index, struct message_type *shape,
                        unsigned position, const struct encode_path *path)
{
    lua_State *L = encoder->L;
    struct encode_path element = {.up = path};
    const ProtobufCFieldDescriptor *listed = &shape->type->fields[position];
    lua_Integer length = check_list(encoder, index, path,
                                    message_type_is_message(listed) ? listed->descriptor : NULL);
    for (element.index = 1; element.index <= length; element.index++) {
        lua_rawgeti(L, index, element.index);
        encode_value(encoder, lua_gettop(L), shape, position, &element);
        lua_pop(L, 1);
    }
}

static void encode_map(struct encoder *encoder, int index, struct message_type *shape,
                       unsigned position, const struct encode_path *path)
{
    lua_State *L = encoder->L;
    if (!lua_istable(L, index))
        expected(L, index, path, "table by key");
    struct message_type *entry = message_type_nested(L, shape, position);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        int value = lua_gettop(L);
        struct encode_path element = {.up = path, .key = value - 1};
        size_t mark = wire_begin(encoder->buffer, shape->type->fields[position].id);
        encode_value(encoder, value - 1, entry, 0, &element);
        encode_value(encoder, value, entry, 1, &element);
        check_fit(encoder, wire_end(encoder->buffer, mark), &element);
    }
}

static void encode_field(struct encoder *encoder, int index, struct message_type *shape,
                         unsigned position, const struct encode_path *path)
{
    const ProtobufCFieldDescriptor *field = &shape->type->fields[position];
    if (message_type_has_map(shape, position))
        encode_map(encoder, index, shape, position, path);
    else if (message_type_is_repeated(field))
        encode_list(encoder, index, shape, position, path);
    else
        encode_value(encoder, index, shape, position, path);
}

// The value is behind the key.
static int unknown_key(struct encoder *encoder, int key, struct message_type *shape,
                       const struct encode_path *path)
{
    lua_State *L = encoder->L;
    if (lua_type(L, key) == LUA_TNUMBER)
        return fail(L, path, "%s expected, got a list%s", shape->name,
                    message_hints_around(L, shape->type));
    const char *name = luaL_tolstring(L, key, NULL),
               *meant = message_type_suggestion(L, shape, name);
    if (shape->collapsed && *meant == 0)
        return fail(L, path, "a plain value (%s) expected, got a table", shape->name);
    const char *pairs = lua_istable(L, key + 1) ? "" : message_hints_pairs(L, shape->type, name);
    return fail(L, path, "unknown field '%s' in %s%s", name, shape->name, *pairs ? pairs : meant);
}

// The fields of a table: which there are, one bit each, and where their values are on the stack.
struct encode_fields {
    uint64_t present;
    int values[64];
};

// Pushes the values of the table at `index`, in its own order. // [-0, +many, e]
static void push_values(struct encoder *encoder, int index, struct message_type *shape,
                        const struct encode_path *path, struct encode_fields *fields)
{
    lua_State *L = encoder->L;
    int key = lua_gettop(L) + 1;
    fields->present = 0;
    for (lua_pushnil(L); lua_next(L, index); key++) {
        int position = message_type_position(L, shape, key);
        if (position < 0)
            unknown_key(encoder, key, shape, path);
        fields->present |= UINT64_C(1) << position;
        fields->values[position] = key;
        lua_insert(L, key);
    }
}

static void check_required(struct encoder *encoder, struct message_type *shape, uint64_t present,
                           const struct encode_path *path)
{
    uint64_t missing = shape->required & ~present;
    if (missing == 0)
        return;
    const ProtobufCFieldDescriptor *field = &shape->type->fields[__builtin_ctzll(missing)];
    struct encode_path nested = {.up = path, .name = field->name};
    fail(encoder->L, &nested, "required field of %s is missing", shape->name);
}

static void check_rivals(struct encoder *encoder, struct message_type *shape, uint64_t present,
                         const ProtobufCFieldDescriptor *field, const struct encode_path *path)
{
    for (unsigned i = 0; i < shape->type->n_fields; i++) {
        const ProtobufCFieldDescriptor *other = &shape->type->fields[i];
        if ((present >> i & 1) && message_type_same_oneof(field, other))
            fail(encoder->L, path, "'%s' and '%s' of %s exclude each other", field->name,
                 other->name, shape->name);
    }
}

// A misspelt field, also of a nested message, is reported before a missing one: it may be the same
// field.
static void encode_fields(struct encoder *encoder, int index, struct message_type *shape,
                          const struct encode_path *path)
{
    const ProtobufCMessageDescriptor *type = shape->type;
    struct encode_fields fields;
    int top = lua_gettop(encoder->L);
    luaL_checkstack(encoder->L, (int)type->n_fields + STACK_NEEDED, "nested message");
    push_values(encoder, index, shape, path, &fields);
    for (uint64_t left = fields.present; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        struct encode_path nested = {.up = path, .name = type->fields[i].name};
        if (shape->oneofs >> i & 1)
            check_rivals(encoder, shape, fields.present, &type->fields[i], path);
        encode_field(encoder, fields.values[i], shape, i, &nested);
    }
    lua_settop(encoder->L, top);
    check_required(encoder, shape, fields.present, path);
}

// { first, last }
static void encode_range(struct encoder *encoder, int index, struct message_type *shape,
                         const struct encode_path *path)
{
    lua_State *L = encoder->L;
    if (check_list(encoder, index, path, NULL) != 2)
        fail(L, path, "%s expected, { first, last } or { begin =, [\"end\"] = }", shape->name);
    for (unsigned i = 0; i < 2; i++) {
        struct encode_path bound = {.up = path, .index = (lua_Integer)i + 1};
        lua_rawgeti(L, index, bound.index);
        encode_value(encoder, lua_gettop(L), shape, i, &bound);
        lua_pop(L, 1);
    }
}

static void encode_view(struct encoder *encoder, const struct view_content *view,
                        struct message_type *shape, const struct encode_path *path)
{
    if (view->type != shape->type)
        fail(encoder->L, path, "%s expected, got %s", shape->name, wire_message_name(view->type));
    check_fit(encoder, buffer_append_slice(encoder->buffer, view->slice), path);
}

static void encode_content(struct encoder *encoder, int index, struct message_type *shape,
                           const struct encode_path *path)
{
    lua_State *L = encoder->L;
    struct view_content view;
    luaL_checkstack(L, STACK_NEEDED, "nested message");
    if (encoder->depth > DEPTH_LIMIT)
        fail(L, path, "nested too deeply (more than %d)", DEPTH_LIMIT);
    if (view_get(L, index, &view))
        encode_view(encoder, &view, shape, path);
    else if (shape->collapsed && !lua_istable(L, index))
        encode_value(encoder, index, shape, 0, path);
    else if (!lua_istable(L, index))
        fail(L, path, "a table (%s) expected, got %s%s", shape->name, type_name(L, index),
             message_hints_message(L, shape->type));
    else if (shape->range && lua_rawlen(L, index) > 0)
        encode_range(encoder, index, shape, path);
    else
        encode_fields(encoder, index, shape, path);
}

// True for a plain value of a type that is one, as ids and amounts are.
static bool is_plain(const struct encoder *encoder, int index, const struct message_type *shape)
{
    int type = lua_type(encoder->L, index);
    return shape->collapsed && type != LUA_TTABLE && type != LUA_TUSERDATA &&
           encoder->depth < DEPTH_LIMIT;
}

static void encode_message(struct encoder *encoder, int index, struct message_type *shape,
                           uint32_t number, const struct encode_path *path)
{
    size_t mark = wire_begin(encoder->buffer, number);
    encoder->depth++;
    if (is_plain(encoder, index, shape))
        encode_value(encoder, index, shape, 0, path);
    else
        encode_content(encoder, index, shape, path);
    encoder->depth--;
    check_fit(encoder, wire_end(encoder->buffer, mark), path);
}

static void encode(struct encoder *encoder, int index, const ProtobufCMessageDescriptor *type,
                   const char *path)
{
    struct encode_path whole = {.name = path};
    lua_State *L = encoder->L;
    encode_content(encoder, lua_absindex(L, index), message_type_get(L, type), &whole);
}

void message_encode_elements(lua_State *L, int index, const ProtobufCMessageDescriptor *type,
                             uint32_t number, const char *name, struct buffer *buffer)
{
    struct encoder encoder = {.L = L, .buffer = buffer};
    struct encode_path list = {.name = name}, element = {.up = &list};
    struct message_type *shape = message_type_get(L, type);
    lua_Integer count = (lua_Integer)lua_rawlen(L, index);
    for (element.index = 1; element.index <= count; element.index++) {
        lua_rawgeti(L, index, element.index);
        encode_message(&encoder, lua_gettop(L), shape, number, &element);
        lua_pop(L, 1);
    }
}

void message_encode(lua_State *L, int index, const ProtobufCMessageDescriptor *type,
                    const char *path, struct buffer *buffer)
{
    struct encoder encoder = {.L = L, .buffer = buffer, .depth = 1};
    encode(&encoder, index, type, path);
}

void message_encode_texts(lua_State *L, int index, const ProtobufCMessageDescriptor *type,
                          const char *path, struct buffer *buffer)
{
    struct encoder encoder = {.L = L, .buffer = buffer, .depth = 1, .ends_at_zero = true};
    encode(&encoder, index, type, path);
}

void message_open(lua_State *L)
{
    scratch_open(L);
    hints_open(L);
    message_tostring_open(L);
    view_open(L);
}
