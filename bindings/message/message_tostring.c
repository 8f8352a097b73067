// SPDX-License-Identifier: Apache-2.0
//
// Messages for people: see message_tostring.h. The text grows in scratch memory with a cap, and
// stops there; what a script put into a table is shown, as far as the type has a field for it.

#include "bindings/message/message_tostring.h"

#include "bindings/core/scratch.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_LIMIT 64

struct tostring_writer {
    lua_State *L;
    struct buffer *out;
    int depth;
};

static void write_table(struct tostring_writer *writer, int index, struct message_type *shape);

static void write(struct tostring_writer *writer, const char *text)
{
    buffer_append_text(writer->out, text);
}

// Control characters, and in binary data all that is not ASCII, are shown as \xNN.
static void write_quoted(struct tostring_writer *writer, const char *text, size_t length,
                         bool binary)
{
    write(writer, "\"");
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            buffer_format(writer->out, "\\%c", c);
        else if (c == '\n')
            write(writer, "\\n");
        else if (c < 0x20 || c == 0x7f || (binary && c > 0x7f))
            buffer_format(writer->out, "\\x%02x", c);
        else
            buffer_append(writer->out, &c, 1);
    }
    write(writer, "\"");
}

static void write_plain(struct tostring_writer *writer, int index)
{
    write(writer, luaL_tolstring(writer->L, index, NULL));
    lua_pop(writer->L, 1);
}

// `shape` is that of a message field, else NULL.
static void write_value(struct tostring_writer *writer, int index, struct message_type *shape,
                        bool binary)
{
    size_t length;
    switch (lua_type(writer->L, index)) {
    case LUA_TSTRING: {
        const char *text = lua_tolstring(writer->L, index, &length);
        write_quoted(writer, text, length, binary);
        break;
    }
    case LUA_TTABLE:
        write_table(writer, index, shape);
        break;
    case LUA_TNUMBER:
    case LUA_TBOOLEAN:
        write_plain(writer, index);
        break;
    default:
        write(writer, luaL_typename(writer->L, index));
    }
}

static void write_list(struct tostring_writer *writer, int index, struct message_type *shape,
                       bool binary)
{
    lua_Unsigned length = lua_rawlen(writer->L, index);
    for (lua_Unsigned i = 1; i <= length; i++) {
        write(writer, i > 1 ? ", " : " ");
        lua_rawgeti(writer->L, index, (lua_Integer)i);
        write_value(writer, lua_gettop(writer->L), shape, binary);
        lua_pop(writer->L, 1);
    }
    write(writer, length ? " " : "");
}

static void write_map(struct tostring_writer *writer, int index, struct message_type *entry)
{
    lua_State *L = writer->L;
    bool message = entry->type->fields[1].type == PROTOBUF_C_TYPE_MESSAGE;
    struct message_type *shape = message ? message_type_nested(L, entry, 1) : NULL;
    const char *separator = " ";
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        int value = lua_gettop(L);
        write(writer, separator);
        write(writer, "[");
        write_value(writer, value - 1, NULL, false);
        write(writer, "] = ");
        write_value(writer, value, shape, false);
        separator = ", ";
    }
    write(writer, *separator == ',' ? " " : "");
}

static void write_field(struct tostring_writer *writer, int index, struct message_type *shape,
                        unsigned position)
{
    const ProtobufCFieldDescriptor *field = &shape->type->fields[position];
    struct message_type *nested = field->type == PROTOBUF_C_TYPE_MESSAGE
                                      ? message_type_nested(writer->L, shape, position)
                                      : NULL;
    bool collapsed = nested != NULL && nested->collapsed;
    bool binary = (collapsed ? nested->type->fields : field)->type == PROTOBUF_C_TYPE_BYTES;
    if (field->label != PROTOBUF_C_LABEL_REPEATED || !lua_istable(writer->L, index)) {
        write_value(writer, index, nested, binary);
        return;
    }
    write(writer, "{");
    if (message_type_is_map(field))
        write_map(writer, index, nested);
    else
        write_list(writer, index, nested, binary);
    write(writer, "}");
}

// A Lua keyword among the names, the only one, needs quotes.
static void write_name(struct tostring_writer *writer, const char *name)
{
    buffer_format(writer->out, strcmp(name, "end") == 0 ? "[\"%s\"] = " : "%s = ", name);
}

static void write_fields(struct tostring_writer *writer, int index, struct message_type *shape)
{
    lua_State *L = writer->L;
    const char *separator = " ";
    for (unsigned i = 0; i < shape->type->n_fields; i++) {
        lua_pushstring(L, shape->type->fields[i].name);
        if (lua_rawget(L, index) != LUA_TNIL) {
            write(writer, separator);
            write_name(writer, shape->type->fields[i].name);
            write_field(writer, lua_gettop(L), shape, i);
            separator = ", ";
        }
        lua_pop(L, 1);
    }
    write(writer, *separator == ',' ? " " : "");
}

// A table that is no message, where the type has no place for one, is shown as a list.
static void write_table(struct tostring_writer *writer, int index, struct message_type *shape)
{
    if (writer->depth++ >= DEPTH_LIMIT || !lua_checkstack(writer->L, 10)) {
        write(writer, "...");
    } else {
        write(writer, "{");
        if (shape != NULL)
            write_fields(writer, index, shape);
        else
            write_list(writer, index, NULL, false);
        write(writer, "}");
    }
    writer->depth--;
}

void message_tostring(lua_State *L, int index, struct message_type *shape)
{
    index = lua_absindex(L, index);
    struct tostring_writer writer = {.L = L, .out = scratch_push(L)};
    buffer_format(writer.out, "%s ", shape->name);
    write_value(&writer, index, shape, false);
    lua_pushlstring(L, (const char *)writer.out->data, writer.out->length);
    lua_replace(L, -2);
}

static int l_tostring(lua_State *L) // [-1, +1, e]
{
    message_tostring(L, 1, message_type_upvalue(L));
    return 1;
}

void message_tostring_open(lua_State *L)
{
    message_type_set_tostring(L, l_tostring);
}
