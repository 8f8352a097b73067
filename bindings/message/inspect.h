// SPDX-License-Identifier: Apache-2.0
//
// Lua values for people who look into a running script: tables with their contents, laid out over
// lines when they are long, names sorted; messages and views with their fields. Reads tables raw,
// so looking changes nothing; only a __tostring of the script is called, and its failure
// is shown. Cycles, depth, long lists and long strings are cut and marked.

#ifndef MESOS_LUA_BINDINGS_MESSAGE_INSPECT_H
#define MESOS_LUA_BINDINGS_MESSAGE_INSPECT_H

#include "base/buffer.h"

#include <lua.h>

enum {
    INSPECT_DEPTH = 8,     // tables in tables
    INSPECT_ENTRIES = 200, // of one table, and as many of its list
    INSPECT_STRING = 4096, // bytes of one string
};

// Appends the value at `index` to `out`, which must survive a Lua error (scratch_push). False if
// its cap cut the text. // [-0, +0, e]
bool inspect_value(lua_State *L, int index, struct buffer *out);

// Appends text, with bytes that are not UTF-8, and control characters other than newline and tab,
// as \xNN: a terminal or JSON would not accept them. // [-0, +0, -]
bool inspect_text(struct buffer *out, const char *text, size_t length);

#endif
