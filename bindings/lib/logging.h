// SPDX-License-Identifier: Apache-2.0
//
// mesos.log: the script's way to the log of the process.

#ifndef MESOS_LUA_BINDINGS_LIB_LOGGING_H
#define MESOS_LUA_BINDINGS_LIB_LOGGING_H

#include "script/script.h"

// Adds `log`, a table of the functions debug, info, warning and error, to the module table on top.
// Each takes a format and values as string.format does. // [-0, +0, e]
void logging_open(lua_State *L, struct script *script);

#endif
