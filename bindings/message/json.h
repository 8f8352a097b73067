// SPDX-License-Identifier: Apache-2.0
//
// Plain Lua data as JSON, and back. An object is a table with strings as keys, a list a table with
// the keys 1 to n; integers stay integers (64 bits) and floats stay floats; texts are UTF-8. JSON
// that is not exactly that is refused with its place: a number that does not fit, a key that comes
// twice, a text with a surrogate alone. So is Lua data that JSON does not have: functions,
// userdata, NaN and infinity, bytes that are not UTF-8, tables with keys of both kinds or with
// holes. Keys are written in the order of their bytes, so equal data is equal text.
//
// An empty table could be either, and says so by its metatable's field __jsontype, "array" or
// "object"; otherwise the style decides. The light userdata NULL stands for null.

#ifndef MESOS_LUA_BINDINGS_MESSAGE_JSON_H
#define MESOS_LUA_BINDINGS_MESSAGE_JSON_H

#include "base/buffer.h"
#include "base/error.h"

#include <lua.h>

enum {
    JSON_DEPTH = 200,      // lists and objects in one another
    JSON_VALUES = 1000000, // of a text that is read; each takes about 200 bytes meanwhile
    JSON_TEXT = 64 << 20,  // bytes of a text, read or written
    JSON_INDENT_MOST = 16,
};

struct json_style {
    bool empty_is_object; // else a list
    int indent;           // spaces for each level; 0: everything is in one line
};

// Pushes the value of the text. `null` is the stack index of what stands for null, or 0: then a
// member that is null is left out, and null in a list, which would be a hole, is refused. False,
// with nothing pushed, and the error with its place in the text or in the data otherwise.
// [-0, +1|0, m]
bool json_decode(lua_State *L, struct slice text, int null, struct error *err);

// Appends the text of the value at `index`, which errors call `name`. Raises, with the path of what
// cannot be written; `out` must survive that (core/scratch.h). Runs no Lua code. // [-0, +0, e]
void json_encode(lua_State *L, int index, const char *name, const struct json_style *style,
                 struct buffer *out);

// Lets `require "mesos.internal"` find what the Lua library builds on:
//
//   json_encode(value[, { empty = "object" | "array", indent = n }]) -> text, or raises
//   json_decode(text[, null]) -> value, or nil and a message
//   json_null    what is written as null
//
// Scripts have no use for the module. // [-0, +0, e]
void json_open(lua_State *L);

#endif
