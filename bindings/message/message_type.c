// SPDX-License-Identifier: Apache-2.0
//
// Message types in a Lua state: see message_type.h. A shape is a userdata that the registry keeps
// under the address of its descriptor, with the slots of its names at its end; the two tables that
// belong to it are registry references, which decoding reaches by number.

#include "bindings/message/message_type.h"

#include "bindings/core/hints.h"
#include "wire/wire.h"

#include <assert.h>
#include <lauxlib.h>
#include <string.h>

static const char tostring_key; // registry: the function behind __tostring

static bool named(const ProtobufCMessageDescriptor *type, unsigned position, const char *name)
{
    return strcmp(type->fields[position].name, name) == 0;
}

static bool is_collapsed(const ProtobufCMessageDescriptor *type)
{
    return type->n_fields == 1 && named(type, 0, "value") &&
           type->fields[0].label != PROTOBUF_C_LABEL_REPEATED &&
           type->fields[0].type != PROTOBUF_C_TYPE_MESSAGE;
}

static bool is_range(const ProtobufCMessageDescriptor *type)
{
    return type->n_fields == 2 && named(type, 0, "begin") && named(type, 1, "end");
}

bool message_type_is_map(const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    if (field->label != PROTOBUF_C_LABEL_REPEATED || field->type != PROTOBUF_C_TYPE_MESSAGE ||
        entry->n_fields != 2 || !named(entry, 0, "key") || !named(entry, 1, "value"))
        return false;
    size_t length = strlen(entry->short_name);
    return length > 5 && strcmp(entry->short_name + length - 5, "Entry") == 0;
}

// ---- names ----

static const char *field_name(const void *shape, size_t index)
{
    const ProtobufCMessageDescriptor *type = ((const struct message_type *)shape)->type;
    return index < type->n_fields ? type->fields[index].name : NULL;
}

const char *message_type_enum_name(const void *descriptor, size_t index)
{
    const ProtobufCEnumDescriptor *type = descriptor;
    return index < type->n_values ? type->values[index].name : NULL;
}

const char *message_type_suggestion(lua_State *L, const struct message_type *shape,
                                    const char *word)
{
    return hints_push(L, word, field_name, shape);
}

int message_type_no_field(lua_State *L, const struct message_type *shape, int index)
{
    const char *name = luaL_tolstring(L, index, NULL);
    return luaL_error(L, "%s has no field '%s'%s", shape->name, name,
                      message_type_suggestion(L, shape, name));
}

// ---- the metatable of a type ----

struct message_type *message_type_upvalue(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

// An absent list or map reads as an empty table, which is stored so that writes to it are not lost.
static int l_index(lua_State *L)
{
    struct message_type *shape = message_type_upvalue(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    int position = message_type_position(L, shape, 2);
    if (position < 0)
        return message_type_no_field(L, shape, 2);
    if (shape->type->fields[position].label != PROTOBUF_C_LABEL_REPEATED)
        return 0;
    lua_settop(L, 2);
    lua_newtable(L);     // message, key, empty
    lua_insert(L, 2);    // message, empty, key
    lua_pushvalue(L, 2); // message, empty, key, empty
    lua_rawset(L, 1);    // message, empty
    return 1;
}

static int l_newindex(lua_State *L)
{
    struct message_type *shape = message_type_upvalue(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    if (message_type_position(L, shape, 2) < 0) {
        const char *name = luaL_tolstring(L, 2, NULL);
        return luaL_error(L, "unknown field '%s' in %s%s", name, shape->name,
                          message_type_suggestion(L, shape, name));
    }
    lua_settop(L, 3);
    lua_rawset(L, 1);
    return 0;
}

// ---- shapes ----

// The list keeps the strings, whose addresses are in the slots.
static int reference_names(lua_State *L, struct message_type *shape)
{
    const ProtobufCMessageDescriptor *type = shape->type;
    lua_createtable(L, (int)type->n_fields, 0);
    for (unsigned i = 0; i < type->n_fields; i++) {
        lua_pushstring(L, type->fields[i].name);
        name_slots_add(shape->slots, shape->slot_count, lua_topointer(L, -1), (int)i + 1);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

void message_type_set_tostring(lua_State *L, lua_CFunction function)
{
    lua_pushcfunction(L, function);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &tostring_key);
}

// The function, with the shape below the table on top as its upvalue. // [-0, +1, m]
static void push_tostring(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &tostring_key);
    lua_CFunction function = lua_tocfunction(L, -1);
    lua_pop(L, 1);
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, function, 1);
}

// The shape at the top of the stack becomes the upvalue of all three. // [-0, +0, e]
static int reference_metatable(lua_State *L, const ProtobufCMessageDescriptor *type)
{
    static const luaL_Reg methods[] = {
        {"__index", l_index}, {"__newindex", l_newindex}, {NULL, NULL}};
    lua_createtable(L, 0, 4); // shape, metatable
    lua_pushstring(L, type->name);
    lua_setfield(L, -2, "__name"); // shape, metatable
    lua_pushvalue(L, -2);          // shape, metatable, shape
    luaL_setfuncs(L, methods, 1);  // shape, metatable
    push_tostring(L);              // shape, metatable, tostring
    lua_setfield(L, -2, "__tostring");
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

static void describe_fields(struct message_type *shape)
{
    const ProtobufCMessageDescriptor *type = shape->type;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        uint64_t bit = UINT64_C(1) << i % 64;
        shape->required |= field->label == PROTOBUF_C_LABEL_REQUIRED ? bit : 0;
        shape->oneofs |= field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF ? bit : 0;
        shape->maps |= message_type_is_map(field) ? bit : 0;
    }
}

// A power of two, at least twice as many as there are names.
static size_t slots_for(size_t names)
{
    size_t count = 4;
    while (count < 2 * names)
        count *= 2;
    return count;
}

static struct message_type *create(lua_State *L, const ProtobufCMessageDescriptor *type)
{
    assert(type->n_fields <= 64);
    luaL_checkstack(L, 6, "message types");
    size_t count = slots_for(type->n_fields), nested = type->n_fields * sizeof(void *);
    size_t size = sizeof(struct message_type) + nested + count * sizeof(struct name_slot);
    struct message_type *shape = lua_newuserdatauv(L, size, 0);
    memset(shape, 0, size);
    shape->type = type;
    shape->name = wire_message_name(type);
    shape->collapsed = is_collapsed(type);
    shape->range = is_range(type);
    shape->slots = (struct name_slot *)(void *)(shape->nested + type->n_fields);
    shape->slot_count = count;
    describe_fields(shape);
    shape->names = reference_names(L, shape);
    shape->metatable = reference_metatable(L, type);
    lua_rawsetp(L, LUA_REGISTRYINDEX, type);
    return shape;
}

struct message_type *message_type_get(lua_State *L, const ProtobufCMessageDescriptor *type)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, type);
    struct message_type *shape = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return shape != NULL ? shape : create(L, type);
}

struct message_type *message_type_nested(lua_State *L, struct message_type *shape,
                                         unsigned position)
{
    if (shape->nested[position] == NULL)
        shape->nested[position] = message_type_get(L, shape->type->fields[position].descriptor);
    return shape->nested[position];
}
