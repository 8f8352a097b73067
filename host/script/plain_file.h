// SPDX-License-Identifier: Apache-2.0
//
// A Lua file that describes something: it is run in a sandbox, and returns a table of plain data,
// which is read as JSON.

#ifndef MESOS_LUA_SCRIPT_PLAIN_FILE_H
#define MESOS_LUA_SCRIPT_PLAIN_FILE_H

#include "base/buffer.h"
#include "base/error.h"
#include "loop/loop.h"

// Appends the table that the file returns, as JSON. Tables with the keys 1 to n are lists, an empty
// one is an empty list; the fields of others come in the order of their names. False, and an error
// with the file's name and, where there is one, the line or the path of the field, if it is wrong
// or takes too much time or memory.
bool plain_file_read(const char *path, struct loop *loop, struct buffer *out, struct error *err);

#endif
