// SPDX-License-Identifier: Apache-2.0
//
// Plain Lua data as bytes, and back: what carries mesos.state into a new version of a script and,
// in a file, into a new process. Kept are nil, booleans, integers and floats (exactly), strings
// (any bytes) and tables, however deep within SERIALIZE_DEPTH, with shared references and cycles as
// they were. Functions, userdata, coroutines, tables with a metatable and tables as keys are
// refused, since a copy could not be what the original was; the error names the first one by its
// path: "mesos.state.jobs[3].callback: a function cannot be kept".
//
// Loading checks every length, number and reference; nothing may be missing or left over. It cannot
// know whether a string or a number is still the one that was saved: a checksum is up to
// the code that stores the bytes.
//
//     bytes  = "mls" version value
//     value  = "n" | "t" | "f"              nil, true, false
//            | "i" varint                   an integer, zigzag
//            | "d" 8 bytes                  a float, little-endian
//            | "s" varint bytes             a string and its length
//            | "{" item* "}"                a table; tables are numbered from 0 by their "{"
//            | "@" varint                   the table of that number again
//     item   = value                        at the next index: 1, 2, 3, ...
//            | "=" key value                the key is no table and no nil

#ifndef MESOS_LUA_SCRIPT_SERIALIZE_H
#define MESOS_LUA_SCRIPT_SERIALIZE_H

#include "base/buffer.h"
#include "base/error.h"

#include <lua.h>

enum {
    SERIALIZE_VERSION = 1,
    SERIALIZE_DEPTH = 10000, // tables within tables
};

// Replaces the contents of `out` by the value at `index`, which the error calls `name`. No Lua code
// runs, nothing is raised and no Lua memory is taken but for the stack, so this may be called
// outside of a protected call. False, with `out` empty, if the value cannot be saved or `out` is
// full. // [-0, +0, -]
bool serialize_save(lua_State *L, int index, const char *name, struct buffer *out,
                    struct error *err);

// Whether serialize_save() would save it in `limit` bytes, which is cheaper. // [-0, +0, -]
bool serialize_check(lua_State *L, int index, const char *name, size_t limit, struct error *err);

// Pushes the value. False, with nothing pushed, if the bytes are not what serialize_save() makes.
// Raises only when Lua is out of memory. // [-0, +1|0, m]
bool serialize_load(lua_State *L, struct slice bytes, struct error *err);

#endif
