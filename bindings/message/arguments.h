// SPDX-License-Identifier: Apache-2.0
//
// Arguments of driver operations that are more than one message: ids that may come alone or as a
// list, lists of roles, and tables that are made into the message of a call.

#ifndef MESOS_LUA_BINDINGS_MESSAGE_ARGUMENTS_H
#define MESOS_LUA_BINDINGS_MESSAGE_ARGUMENTS_H

#include "base/buffer.h"

#include <lua.h>
#include <protobuf-c/protobuf-c.h>

// Replaces the id or list of ids at `index` by a list of strings. Raises if it is neither, naming
// the argument. // [-0, +0, e]
void arguments_ids(lua_State *L, int index, const char *name);

// Pushes a userdata that owns the array of roles at `index`, ended by NULL, and returns it. nil
// gives NULL (all roles) and pushes nil. // [-0, +1, e]
const char **arguments_roles(lua_State *L, int index, const char *name);

// Raises if the table at `index` has a key that is not among the names (ended by NULL), with the
// nearest; `what` is what the keys are: "mesos.exec: option". // [-0, +0, e]
void arguments_keys(lua_State *L, int index, const char *const *names, const char *what);

// Pushes that error's text for the key `word`. // [-0, +1, m]
void arguments_push_unknown(lua_State *L, const char *word, const char *const *names,
                            const char *what);

// The number of seconds in the field of the table at `index`, above 0 and math.huge included, or
// `initial` if there is none. // [-0, +0, e]
double arguments_seconds(lua_State *L, int index, const char *name, double initial);

// The number of bytes in it, from 0 to 1 GiB. // [-0, +0, e]
size_t arguments_size(lua_State *L, int index, const char *name, size_t initial);

// The text in it, without zero bytes, or NULL; it is left on the stack. // [-0, +1, e]
const char *arguments_text(lua_State *L, int index, const char *name);

#endif
