// SPDX-License-Identifier: Apache-2.0
//
// mesos.state: the one table of a script whose contents, plain data, are carried into a new version
// of the script and, in a file, into a new process. To the script it is an ordinary table; what can
// be kept is what script/serialize.h says.

#ifndef MESOS_LUA_BINDINGS_LIB_STATE_TABLE_H
#define MESOS_LUA_BINDINGS_LIB_STATE_TABLE_H

#include "base/buffer.h"
#include "script/script.h"

enum { STATE_TABLE_MOST = 64 << 20 }; // bytes that it may take when it is kept

// Pushes the table, the same each time. // [-0, +1, m]
void state_table_push(lua_State *L);

// Makes the value at the top the table. Raises if it is no table, or holds what cannot be kept.
// [-1, +0, e]
void state_table_assign(lua_State *L);

// Replaces the contents of `out` by the bytes of the script's table. Never runs a line of the
// script; may be called at any time, also when the script was asked to exit. // [-0, +0, -]
bool state_table_save(struct script *script, struct buffer *out, struct error *err);

// Whether state_table_save() would do it, without its work. // [-0, +0, -]
bool state_table_check(struct script *script, struct error *err);

// Gives a new script the table that state_table_save() saved: to be called before script_run().
// Empty bytes are an empty table. // [-0, +0, -]
bool state_table_restore(struct script *script, struct slice bytes, struct error *err);

#endif
